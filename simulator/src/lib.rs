//! wardlight-simulator
