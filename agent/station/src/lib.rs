//! wardlight-station
