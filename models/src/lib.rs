//! wardlight-models
