//! The calls, one method each. All of them read; there is none for a function that could change a
//! token or use a key.
#![expect(unsafe_code, reason = "calls foreign machine code")]

use std::ffi::{CString, c_void};
use std::ptr;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BBOOL, CK_C_CloseSession, CK_C_Finalize, CK_C_FindObjects,
    CK_C_FindObjectsFinal, CK_C_FindObjectsInit, CK_C_GetAttributeValue, CK_C_GetInfo,
    CK_C_GetMechanismInfo, CK_C_GetMechanismList, CK_C_GetSlotInfo, CK_C_GetSlotList,
    CK_C_GetTokenInfo, CK_C_INITIALIZE_ARGS, CK_C_Initialize, CK_C_Login, CK_C_Logout,
    CK_C_OpenSession, CK_FALSE, CK_INFO, CK_MECHANISM_INFO, CK_SLOT_INFO, CK_TOKEN_INFO, CK_ULONG,
    CKA_CLASS, CKF_SERIAL_SESSION, CKR_OK, CKU_USER,
};
use zeroize::Zeroizing;

use crate::rooms::Room;

// Numbers of the module are `u64` everywhere else.
const _: () = assert!(size_of::<CK_ULONG>() == 8, "built for systems of 64 bits");

/// What a call gave, or why it gave nothing.
pub(crate) type Answer<T> = Result<T, Failure>;

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The module has no such function.
    Missing,
    /// It returned this `CK_RV`.
    Returned(u64),
    /// It gave what cannot be.
    Nonsense(String),
}

/// The functions that are called, as far as the module has them.
pub(crate) struct Functions {
    pub(crate) initialize: CK_C_Initialize,
    pub(crate) finalize: CK_C_Finalize,
    pub(crate) info: CK_C_GetInfo,
    pub(crate) slot_list: CK_C_GetSlotList,
    pub(crate) slot_info: CK_C_GetSlotInfo,
    pub(crate) token_info: CK_C_GetTokenInfo,
    pub(crate) mechanism_list: CK_C_GetMechanismList,
    pub(crate) mechanism_info: CK_C_GetMechanismInfo,
    pub(crate) open_session: CK_C_OpenSession,
    pub(crate) close_session: CK_C_CloseSession,
    pub(crate) login: CK_C_Login,
    pub(crate) logout: CK_C_Logout,
    pub(crate) find_objects_init: CK_C_FindObjectsInit,
    pub(crate) find_objects: CK_C_FindObjects,
    pub(crate) find_objects_final: CK_C_FindObjectsFinal,
    pub(crate) attribute_value: CK_C_GetAttributeValue,
}

/// A loaded module.
pub(crate) struct Module {
    functions: Functions,
    parameters: Option<CString>,
    calls: u64,
    /// Reused from object to object.
    template: Vec<CK_ATTRIBUTE>,
}

/// The argument of `C_Initialize`. NSS has a field more than the standard, which it reads when there
/// are parameters and which has to be null.
#[repr(C)]
struct Initialize {
    standard: CK_C_INITIALIZE_ARGS,
    more: *mut c_void,
}

impl Failure {
    pub(crate) fn nonsense(what: &str) -> Self {
        Self::Nonsense(what.to_owned())
    }
}

impl Module {
    pub(crate) fn new(functions: Functions, parameters: Option<CString>, calls: u64) -> Self {
        Self { functions, parameters, calls, template: Vec::new() }
    }

    /// How many functions were called so far.
    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// `C_Initialize`, by what it returned. Without flags and parameters there is no argument.
    pub(crate) fn initialize(&mut self, flags: u64) -> Answer<u64> {
        let call = self.functions.initialize.ok_or(Failure::Missing)?;
        // The module may keep the pointer to the parameters, so they live as long as it does.
        let parameters = self.parameters.as_ref().map(|text| text.as_ptr().cast_mut().cast());
        let mut argument = Initialize {
            standard: CK_C_INITIALIZE_ARGS {
                CreateMutex: None,
                DestroyMutex: None,
                LockMutex: None,
                UnlockMutex: None,
                flags,
                pReserved: parameters.unwrap_or(ptr::null_mut()),
            },
            more: ptr::null_mut(),
        };
        let needed = flags != 0 || parameters.is_some();
        let argument = if needed { (&raw mut argument).cast::<c_void>() } else { ptr::null_mut() };
        self.calls += 1;
        // SAFETY: the argument lives through the call and begins as the standard has it.
        Ok(unsafe { call(argument) })
    }

    /// `C_Finalize`.
    pub(crate) fn finalize(&mut self) -> Answer<()> {
        let call = self.functions.finalize.ok_or(Failure::Missing)?;
        self.calls += 1;
        // SAFETY: the argument is reserved and has to be null.
        returned(unsafe { call(ptr::null_mut()) })
    }

    /// `C_GetInfo`.
    pub(crate) fn info(&mut self) -> Answer<CK_INFO> {
        let call = self.functions.info.ok_or(Failure::Missing)?;
        let mut info = CK_INFO::default();
        self.calls += 1;
        // SAFETY: the place is a whole one and lives through the call.
        returned(unsafe { call(&raw mut info) }).map(|()| info)
    }

    /// `C_GetSlotList` with and without tokens: how many there are, or written to this place.
    pub(crate) fn slot_list(&mut self, place: Option<&mut [u64]>) -> Answer<u64> {
        let call = self.functions.slot_list.ok_or(Failure::Missing)?;
        let (pointer, mut count) = parts(place);
        self.calls += 1;
        // SAFETY: the place has as many entries as `count` says, or is null to ask for their number.
        returned(unsafe { call(CK_FALSE as CK_BBOOL, pointer, &raw mut count) }).map(|()| count)
    }

    /// `C_GetSlotInfo`.
    pub(crate) fn slot_info(&mut self, slot: u64) -> Answer<CK_SLOT_INFO> {
        let call = self.functions.slot_info.ok_or(Failure::Missing)?;
        let mut info = CK_SLOT_INFO::default();
        self.calls += 1;
        // SAFETY: the place is a whole one and lives through the call.
        returned(unsafe { call(slot, &raw mut info) }).map(|()| info)
    }

    /// `C_GetTokenInfo`.
    pub(crate) fn token_info(&mut self, slot: u64) -> Answer<CK_TOKEN_INFO> {
        let call = self.functions.token_info.ok_or(Failure::Missing)?;
        let mut info = CK_TOKEN_INFO::default();
        self.calls += 1;
        // SAFETY: the place is a whole one and lives through the call.
        returned(unsafe { call(slot, &raw mut info) }).map(|()| info)
    }

    /// `C_GetMechanismList`: how many there are, or written to this place.
    pub(crate) fn mechanism_list(&mut self, slot: u64, place: Option<&mut [u64]>) -> Answer<u64> {
        let call = self.functions.mechanism_list.ok_or(Failure::Missing)?;
        let (pointer, mut count) = parts(place);
        self.calls += 1;
        // SAFETY: the place has as many entries as `count` says, or is null to ask for their number.
        returned(unsafe { call(slot, pointer, &raw mut count) }).map(|()| count)
    }

    /// `C_GetMechanismInfo`.
    pub(crate) fn mechanism_info(&mut self, slot: u64, number: u64) -> Answer<CK_MECHANISM_INFO> {
        let call = self.functions.mechanism_info.ok_or(Failure::Missing)?;
        let mut info = CK_MECHANISM_INFO::default();
        self.calls += 1;
        // SAFETY: the place is a whole one and lives through the call.
        returned(unsafe { call(slot, number, &raw mut info) }).map(|()| info)
    }

    /// `C_OpenSession`, for reading only.
    pub(crate) fn open_session(&mut self, slot: u64) -> Answer<u64> {
        let call = self.functions.open_session.ok_or(Failure::Missing)?;
        let mut session = 0;
        self.calls += 1;
        // SAFETY: no callback and nothing for it; the place of the handle lives through the call.
        let done =
            unsafe { call(slot, CKF_SERIAL_SESSION, ptr::null_mut(), None, &raw mut session) };
        returned(done).map(|()| session)
    }

    /// `C_CloseSession`.
    pub(crate) fn close_session(&mut self, session: u64) -> Answer<()> {
        let call = self.functions.close_session.ok_or(Failure::Missing)?;
        self.calls += 1;
        // SAFETY: no pointers.
        returned(unsafe { call(session) })
    }

    /// `C_Login` of the user, by what it returned; without a PIN where it is typed at the device.
    /// The module may write to the PIN, and it is wiped after the call.
    pub(crate) fn login(&mut self, session: u64, pin: Option<Zeroizing<Vec<u8>>>) -> Answer<u64> {
        let call = self.functions.login.ok_or(Failure::Missing)?;
        let mut pin = pin;
        let (pointer, length) = parts(pin.as_mut().map(|pin| pin.as_mut_slice()));
        self.calls += 1;
        // SAFETY: the PIN has as many octets as `length` says and lives through the call.
        Ok(unsafe { call(session, CKU_USER, pointer, length) })
    }

    /// `C_Logout`.
    pub(crate) fn logout(&mut self, session: u64) -> Answer<()> {
        let call = self.functions.logout.ok_or(Failure::Missing)?;
        self.calls += 1;
        // SAFETY: no pointers.
        returned(unsafe { call(session) })
    }

    /// `C_FindObjectsInit` for the objects of one class.
    pub(crate) fn find_objects_init(&mut self, session: u64, class: u64) -> Answer<()> {
        let call = self.functions.find_objects_init.ok_or(Failure::Missing)?;
        let mut class: CK_ULONG = class;
        let mut template = CK_ATTRIBUTE {
            type_: CKA_CLASS,
            pValue: (&raw mut class).cast(),
            ulValueLen: size_of::<CK_ULONG>() as u64,
        };
        self.calls += 1;
        // SAFETY: one attribute, which lives through the call as its value does.
        returned(unsafe { call(session, &raw mut template, 1) })
    }

    /// `C_FindObjects`: how many handles were written to this place.
    pub(crate) fn find_objects(&mut self, session: u64, place: &mut [u64]) -> Answer<u64> {
        let call = self.functions.find_objects.ok_or(Failure::Missing)?;
        let mut count = 0;
        self.calls += 1;
        // SAFETY: the place has as many entries as its length says and lives through the call.
        let done = unsafe { call(session, place.as_mut_ptr(), place.len() as u64, &raw mut count) };
        returned(done).map(|()| count)
    }

    /// `C_FindObjectsFinal`.
    pub(crate) fn find_objects_final(&mut self, session: u64) -> Answer<()> {
        let call = self.functions.find_objects_final.ok_or(Failure::Missing)?;
        self.calls += 1;
        // SAFETY: no pointers.
        returned(unsafe { call(session) })
    }

    /// `C_GetAttributeValue` into these rooms, by what it returned.
    pub(crate) fn attribute_value(
        &mut self,
        session: u64,
        object: u64,
        rooms: &mut [Room],
    ) -> Answer<u64> {
        let call = self.functions.attribute_value.ok_or(Failure::Missing)?;
        self.template.clear();
        self.template.extend(rooms.iter_mut().map(|room| {
            let (pointer, length) = parts(room.open());
            CK_ATTRIBUTE { type_: room.attribute(), pValue: pointer.cast(), ulValueLen: length }
        }));
        self.calls += 1;
        // SAFETY: each attribute points to as many octets as it says, or is null to ask for their
        // number, and nothing else holds them until the call is over.
        let returned = unsafe {
            call(session, object, self.template.as_mut_ptr(), self.template.len() as u64)
        };
        for (room, attribute) in rooms.iter_mut().zip(&self.template) {
            room.close(attribute.ulValueLen);
        }
        Ok(returned)
    }
}

fn returned(returned: u64) -> Answer<()> {
    if returned == CKR_OK { Ok(()) } else { Err(Failure::Returned(returned)) }
}

/// Where a place begins and how many entries it has; null without one.
fn parts<T>(place: Option<&mut [T]>) -> (*mut T, CK_ULONG) {
    place.map_or((ptr::null_mut(), 0), |place| (place.as_mut_ptr(), place.len() as u64))
}
