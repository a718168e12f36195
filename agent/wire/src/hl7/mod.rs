//! HL7 v2 over MLLP, as patient monitors (IHE PCD-01) and the hospital's admission system (ADT) send it.
//!
//! Pure, as all of this crate: bytes in, messages of `wardlight-core` or what the patient's movement is out. What could not
//! be taken says at which segment and field, because the sender is told so.

pub mod mllp;
