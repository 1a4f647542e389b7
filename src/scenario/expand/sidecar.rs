//! The sidecar of a sim, those who use it, and the faults of both.

use crate::{
    stack::sidecar::pressure::{Pressure, Shortage},
    world,
};

/// A fault that leaves the sidecar less of something.
pub(super) fn shortage(shortage: Shortage, number: usize, pressure: &Pressure) -> world::FaultKind {
    let memory = shortage.memory.map(|bytes| format!(" memory {bytes} B"));
    let connections = shortage.connections.map(|count| format!(" connections {count}"));
    let (memory, connections) = (memory.unwrap_or_default(), connections.unwrap_or_default());
    let pressure = pressure.clone();
    world::FaultKind::Custom {
        label: format!("sidecar{memory}{connections}"),
        apply: std::rc::Rc::new(move |_, fires| {
            if fires {
                pressure.begin(number, shortage);
            } else {
                pressure.end(number);
            }
        }),
    }
}
