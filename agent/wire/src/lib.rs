//! wardlight-wire
