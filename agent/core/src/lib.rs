//! wardlight-core
