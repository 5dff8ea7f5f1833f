//! The process of a module, alone.

fn main() -> std::process::ExitCode {
    pki_module::serve()
}
