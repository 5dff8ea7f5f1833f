//! Loads one PKCS #11 module in a process of its own and reads what it is told to.
//!
//! The library of a vendor is foreign machine code: it may crash, hang, write where it should not, or
//! answer what the standard does not allow. So it never runs inside of the agent: the agent starts its
//! own program anew, speaks to it over a pipe (`pki_tokens::wire`), and ends it when it takes too long.
//!
//! What this crate does not do: it judges nothing and names nothing, the numbers of the module go out as
//! they came in. It never writes to a token: the functions that do are not even looked up. It reads no
//! value of a private or secret key, opens no session that may write, and tries one PIN once: only where
//! the token is still the one that was told, and where there is something to be read with it.
//!
//! The process dies when the thread that started it ends (`PR_SET_PDEATHSIG`): whoever starts it has to
//! keep that thread for as long as the process is to live.
//!
//! ```no_run
//! // In the agent behind its hidden argument, before it starts any thread.
//! fn main() -> std::process::ExitCode {
//!     pki_module::serve()
//! }
//! ```

mod calls;
mod channel;
mod confine;
mod load;
mod reading;
mod rooms;
mod slots;
mod values;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::process::ExitCode;

use cryptoki_sys::{CKF_LOGIN_REQUIRED, CKF_OS_LOCKING_OK, CKR_CANT_LOCK};
use cryptoki_sys::{CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_OK};
use pki_tokens::wire::{Message, Order, TokenAnswer};

use calls::{Failure, Module};
use channel::{Answers, Orders};

/// Serves the orders that come on standard input until it ends, and never returns to the caller's
/// business. Standard output carries the answers; what the module prints itself goes nowhere.
///
/// Each order is answered to its end whatever happens: [`Order::Start`] up to
/// [`Message::SlotsEnd`], also when the module cannot be loaded, and [`Order::Read`] up to
/// [`Message::ReadEnd`]. Fails on an order that is not understood, and when nobody reads the answers.
#[must_use]
pub fn serve() -> ExitCode {
    match confine::process().and_then(|()| confine::channel()) {
        Ok((input, output)) => match orders(&mut Orders::from(input), &mut Answers::to(output)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(_) => ExitCode::FAILURE,
    }
}

fn orders(orders: &mut Orders, answers: &mut Answers) -> io::Result<()> {
    let (path, parameters) = match orders.next()? {
        Some(Order::Start { module, parameters, memory_mib }) => {
            confine::memory(memory_mib)?;
            (module, parameters)
        }
        Some(Order::Read { .. }) => return Err(io::ErrorKind::InvalidData.into()),
        Some(Order::End) => return answers.say(&Message::End { calls: 0 }),
        None => return Ok(()),
    };
    let mut module = start(&path, parameters, answers)?;
    let tokens = match &mut module {
        Some(module) => slots::tell(module, answers)?,
        None => BTreeMap::new(),
    };
    answers.say(&Message::SlotsEnd)?;
    let served = reads(orders, answers, &mut module, &tokens);
    let calls = module.as_mut().map_or(0, end);
    if served? { answers.say(&Message::End { calls }) } else { Ok(()) }
}

/// Reads token after token. Says whether the end was ordered; it was not when the orders just stop.
fn reads(
    orders: &mut Orders,
    answers: &mut Answers,
    module: &mut Option<Module>,
    tokens: &BTreeMap<u64, TokenAnswer>,
) -> io::Result<bool> {
    loop {
        match orders.next()? {
            Some(Order::Read { slot, login, max_objects }) => {
                match (module.as_mut(), tokens.get(&slot)) {
                    (Some(module), Some(token)) => {
                        let login = login.filter(|_| token.flags & CKF_LOGIN_REQUIRED != 0);
                        let login = login.map(|login| (login, token));
                        reading::read(module, answers, slot, login, max_objects)?;
                    }
                    _ => reading::nothing(answers, slot)?,
                }
            }
            Some(Order::End) => return Ok(true),
            Some(Order::Start { .. }) => return Err(io::ErrorKind::InvalidData.into()),
            None => return Ok(false),
        }
    }
}

/// Loads and initialises the module and tells what it is; `None` where that does not work.
fn start(
    path: &str,
    parameters: Option<String>,
    answers: &mut Answers,
) -> io::Result<Option<Module>> {
    let parameters = match parameters.map(CString::new).transpose() {
        Ok(parameters) => parameters,
        Err(_) => {
            answers.failed(
                None,
                "C_Initialize",
                &Failure::nonsense("NUL in the parameters"),
                "",
            )?;
            return Ok(None);
        }
    };
    let mut module = match load::module(path, parameters) {
        Ok(module) => module,
        Err((call, failure)) => {
            answers.failed(None, call, &failure, "")?;
            return Ok(None);
        }
    };
    // One thread calls, but the module may have some of its own, so locking by the system is offered
    // first; a module that cannot lock is told that nothing has to be (PKCS #11 v3.1, 5.4.1).
    let mut returned = module.initialize(CKF_OS_LOCKING_OK);
    if matches!(returned, Ok(CKR_CANT_LOCK)) {
        returned = module.initialize(0);
    }
    let failure = match returned {
        // The code that runs before this may have initialised it, such as a proxy for itself.
        Ok(CKR_OK | CKR_CRYPTOKI_ALREADY_INITIALIZED) => {
            slots::library(&mut module, answers)?;
            return Ok(Some(module));
        }
        Ok(returned) => Failure::Returned(returned),
        Err(failure) => failure,
    };
    answers.failed(None, "C_Initialize", &failure, "")?;
    Ok(None)
}

/// Lets the module go. What that returns changes nothing any more.
fn end(module: &mut Module) -> u64 {
    let _ = module.finalize();
    module.calls()
}
