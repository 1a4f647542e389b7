//! The `seedbed` command. Everything it does is in the library's `cli`.

use std::process::ExitCode;

/// Worlds allocate many small things for a short time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    seedbed::cli::main()
}
