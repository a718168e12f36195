//! wardlight-journal
