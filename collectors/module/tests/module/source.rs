//! What is not in the sources cannot happen.

use std::path::Path;

/// All functions of a module that are named here (PKCS #11 v3.2, section 5). Each of them reads.
const CALLED: [&str; 18] = [
    "C_CloseSession",
    "C_Finalize",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_FindObjectsInit",
    "C_GetAttributeValue",
    "C_GetFunctionList",
    "C_GetInfo",
    "C_GetInterface",
    "C_GetMechanismInfo",
    "C_GetMechanismList",
    "C_GetSlotInfo",
    "C_GetSlotList",
    "C_GetTokenInfo",
    "C_Initialize",
    "C_Login",
    "C_Logout",
    "C_OpenSession",
];

#[test]
fn no_function_is_named_that_could_change_a_token_or_use_a_key() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut named = std::collections::BTreeSet::new();
    let (mut files, mut foreign) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        files += 1;
        assert!(!text.contains("CKF_RW_SESSION"), "{}", path.display());
        if text.contains("unsafe ") {
            foreign.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let name = word.strip_prefix("CK_").unwrap_or(word);
            if name.starts_with("C_") && name != "C_INITIALIZE_ARGS" {
                named.insert(name.to_owned());
            }
        }
    }
    assert!(files > 5, "the test would hold for nothing");
    assert_eq!(named.iter().map(String::as_str).collect::<Vec<_>>(), CALLED);
    foreign.sort();
    assert_eq!(foreign, ["calls.rs", "load.rs"]);
}
