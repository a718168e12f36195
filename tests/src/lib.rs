//! wardlight-tests
