//! Trouble of a service.

use super::target::Targets;
use super::{percent, slow};
use crate::scenario::model::{CallErrors, Connections, FaultKind, ServiceFault, ServiceKind};
use crate::world::Stream;

pub(super) fn draw(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    let service = *draws.pick(&targets.services)?;
    let (kind, share) = (draws.below(6), percent(draws, 10, 100));
    let quiet = ServiceFault {
        name: service.name.clone(),
        operation: None,
        down: false,
        hang: false,
        lose_connections: None,
        errors: None,
        latency: None,
    };
    let no = CallErrors::default();
    let with = |errors: CallErrors| ServiceFault { errors: Some(errors), ..quiet.clone() };
    let is_database = matches!(service.kind, ServiceKind::Database(_));
    Some(vec![FaultKind::Service(match kind {
        0 if is_database => {
            ServiceFault { lose_connections: Some(Connections::All), ..quiet.clone() }
        }
        0 => ServiceFault { down: true, ..quiet.clone() },
        1 => ServiceFault { hang: true, ..quiet.clone() },
        2 => ServiceFault { latency: Some(slow(draws, 100, 3_000)), ..quiet.clone() },
        3 => with(CallErrors { failure: share, ..no }),
        // A database never gets a connection back that it says nothing on: that is no fault that heals.
        4 if !is_database => with(CallErrors { silence: share, ..no }),
        _ => with(CallErrors { reset: share, ..no }),
    })])
}
