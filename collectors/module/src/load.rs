//! Finds the functions of a module.
#![expect(unsafe_code, reason = "loads foreign machine code and reads its table of functions")]

use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::ptr;

use cryptoki_sys::{CK_FUNCTION_LIST, CK_INTERFACE, CK_RV, CK_UTF8CHAR, CK_VERSION, CKR_OK};
use libloading::Library;

use crate::calls::{Failure, Functions, Module};

/// PKCS #11 v3.1, 5.4.4 and 5.4.6.
type GetFunctionList = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;
type GetInterface = unsafe extern "C" fn(
    *mut CK_UTF8CHAR,
    *mut CK_VERSION,
    *mut *mut CK_INTERFACE,
    cryptoki_sys::CK_FLAGS,
) -> CK_RV;

/// Loads the library and finds its functions; the parameters are for its initialisation.
pub(crate) fn module(
    path: &str,
    parameters: Option<CString>,
) -> Result<Module, (&'static str, Failure)> {
    // SAFETY: the code of the library runs, which nothing can make safe; this process is there to be
    // lost by it.
    let library = unsafe { Library::new(path) };
    // Never unloaded: threads of its own may still run in it.
    let library = ManuallyDrop::new(
        library.map_err(|error| ("dlopen", Failure::Nonsense(error.to_string())))?,
    );
    let mut calls = 0;
    // The newest interface by its name: the default one may be one of the vendor's own, whose table
    // is another (PKCS #11 v3.1, 5.4.6). What is used here lies at the same place in all of them.
    let newest = interface(&library, &mut calls).filter(|list| version(*list).is_some());
    let list = match newest {
        Some(list) => list,
        None => {
            function_list(&library, &mut calls).map_err(|failure| ("C_GetFunctionList", failure))?
        }
    };
    if version(list).is_none() {
        return Err(("C_GetFunctionList", Failure::nonsense("a version that is not known")));
    }
    // SAFETY: not null and aligned, as the two functions below say, and in a version whose table has
    // at least these functions.
    let functions = unsafe { functions(list) };
    Ok(Module::new(functions, parameters, calls))
}

fn interface(library: &Library, calls: &mut u64) -> Option<*const CK_FUNCTION_LIST> {
    // SAFETY: by its name it has this type (PKCS #11 v3.1, 5.4.6).
    let call = unsafe { library.get::<GetInterface>(b"C_GetInterface\0") }.ok()?;
    let mut name = *b"PKCS 11\0";
    let mut found: *mut CK_INTERFACE = ptr::null_mut();
    *calls += 1;
    // SAFETY: the name ends in NUL, a version of null stands for the newest, and both live through
    // the call.
    let returned = unsafe { call(name.as_mut_ptr(), ptr::null_mut(), &raw mut found, 0) };
    if returned != CKR_OK || found.is_null() || !found.is_aligned() {
        return None;
    }
    // SAFETY: not null and aligned; that it points to an interface is what the module just said.
    let list = unsafe { (*found).pFunctionList }.cast::<CK_FUNCTION_LIST>().cast_const();
    (!list.is_null() && list.is_aligned()).then_some(list)
}

fn function_list(library: &Library, calls: &mut u64) -> Result<*const CK_FUNCTION_LIST, Failure> {
    // SAFETY: by its name it has this type (PKCS #11 v3.1, 5.4.4).
    let call = unsafe { library.get::<GetFunctionList>(b"C_GetFunctionList\0") };
    let call = call.map_err(|_| Failure::Missing)?;
    let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
    *calls += 1;
    // SAFETY: the place for the pointer lives through the call.
    let returned = unsafe { call(&raw mut list) };
    if returned != CKR_OK {
        return Err(Failure::Returned(returned));
    }
    if list.is_null() || !list.is_aligned() {
        return Err(Failure::nonsense("a table of functions that is none"));
    }
    Ok(list.cast_const())
}

/// The version of a table, if it is one whose beginning is known. Before 2.01 it was shorter.
fn version(list: *const CK_FUNCTION_LIST) -> Option<(u8, u8)> {
    // SAFETY: not null and aligned, as its finder made sure; every table begins with its version.
    let version = unsafe { (*list).version };
    matches!((version.major, version.minor), (2, 1..) | (3, _))
        .then_some((version.major, version.minor))
}

/// Copies what is used, and nothing else: what is not here cannot be called.
///
/// # Safety
///
/// The table has to be one of version 2.01 or later.
unsafe fn functions(list: *const CK_FUNCTION_LIST) -> Functions {
    // SAFETY: each of them lies within the table of version 2.01, and null is `None`.
    unsafe {
        Functions {
            initialize: (*list).C_Initialize,
            finalize: (*list).C_Finalize,
            info: (*list).C_GetInfo,
            slot_list: (*list).C_GetSlotList,
            slot_info: (*list).C_GetSlotInfo,
            token_info: (*list).C_GetTokenInfo,
            mechanism_list: (*list).C_GetMechanismList,
            mechanism_info: (*list).C_GetMechanismInfo,
            open_session: (*list).C_OpenSession,
            close_session: (*list).C_CloseSession,
            login: (*list).C_Login,
            logout: (*list).C_Logout,
            find_objects_init: (*list).C_FindObjectsInit,
            find_objects: (*list).C_FindObjects,
            find_objects_final: (*list).C_FindObjectsFinal,
            attribute_value: (*list).C_GetAttributeValue,
        }
    }
}
