//! wardlight-devices
