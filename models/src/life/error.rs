//! Why a step is not taken, and what to do.

use super::State;

/// A step that the life of a package does not have. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifeError {
    /// No such version was brought here.
    #[error(
        "{model} {version}: not on this machine: wardlight model stage PACKAGE brings it, wardlight model list shows what is here"
    )]
    Unknown {
        /// Name of the model.
        model: String,
        /// The version that was asked for.
        version: String,
    },
    /// The very package is here already.
    #[error("{model} {version}: is on this machine already, {state}; wardlight model list shows what is next")]
    Here {
        /// Name of the model.
        model: String,
        /// Version of the model.
        version: String,
        /// Where it is.
        state: State,
    },
    /// Another package has this version.
    #[error(
        "{model} {version}: another package with this version is here already: raise version in manifest.toml and sign again"
    )]
    Differs {
        /// Name of the model.
        model: String,
        /// Version of the model.
        version: String,
    },
    /// It has no certificate of this machine.
    #[error("{model} {version}: is {state}, not verified: run wardlight model verify {model} {version} first")]
    NotVerified {
        /// Name of the model.
        model: String,
        /// Version of the model.
        version: String,
        /// Where it is.
        state: State,
    },
    /// There is nowhere further up.
    #[error("{model} {version}: is live already")]
    AlreadyLive {
        /// Name of the model.
        model: String,
        /// Version of the model.
        version: String,
    },
    /// Several versions could be meant.
    #[error("{model}: say which of {versions}: wardlight model promote {model} VERSION")]
    Ambiguous {
        /// Name of the model.
        model: String,
        /// The versions.
        versions: String,
    },
    /// No version is on its way.
    #[error("{model}: no version is staged, verified or in the shadow: wardlight model stage PACKAGE brings one")]
    NothingToPromote {
        /// Name of the model.
        model: String,
    },
    /// The carried version is live.
    #[error("{model}: the version that the software carries is live; there is nothing before it")]
    NothingBefore {
        /// Name of the model.
        model: String,
    },
}
