//! What actors trace, and events, on stderr, for whoever asks for it with `SEEDBED_LOG`.
//!
//! The lines have no wall-clock time. They carry the virtual time and the node in the span that
//! everything traced by an actor is in.

use tracing_subscriber::EnvFilter;

/// The variable that says what to show, as in `SEEDBED_LOG=info` or `SEEDBED_LOG=seedbed::event=trace`.
const VARIABLE: &str = "SEEDBED_LOG";

/// Starts to listen, if the variable is set. Without it nothing listens, and tracing costs nothing.
#[expect(clippy::disallowed_methods, reason = "what is shown is no part of a run")]
pub(super) fn listen() {
    let Ok(wanted) = std::env::var(VARIABLE) else { return };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(wanted))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .finish();
    // Fails only if somebody listens already, and then nothing is missing.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
