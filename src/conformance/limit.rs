//! Rate limits, bulkheads, quotas.

use super::{Fields, Subject, Unsupported};

/// Makes the subject of a case, if it is of a kind that is known here.
pub(super) fn subject(
    _kind: &str,
    _config: &mut Fields,
) -> Option<Result<Box<dyn Subject>, Unsupported>> {
    None
}
