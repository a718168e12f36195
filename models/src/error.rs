//! What can be wrong with a package or a prediction.

use std::path::PathBuf;

/// Why a package was refused or a prediction not made. A refused package costs only itself: whatever model is running
/// goes on.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file of the package could not be read.
    #[error("package file {path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A file is larger than its kind may be.
    #[error("package file {path}: {bytes} bytes, at most {limit} allowed")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit for this file.
        limit: u64,
    },
    /// The folder holds something that is neither in the manifest nor the manifest and its signature, or is no plain file.
    #[error("package {package}: unexpected entry {name:?}")]
    UnexpectedEntry {
        /// The package folder.
        package: PathBuf,
        /// The entry's name.
        name: String,
    },
    /// `manifest.sig` is missing.
    #[error("package {package}: not signed, manifest.sig is missing")]
    Unsigned {
        /// The package folder.
        package: PathBuf,
    },
    /// `manifest.sig` is not 128 hexadecimal digits.
    #[error("package {package}: manifest.sig must be 128 hexadecimal digits")]
    SignatureFormat {
        /// The package folder.
        package: PathBuf,
    },
    /// No trusted key made the signature over these manifest bytes.
    #[error("package {package}: the signature of manifest.toml matches none of {keys} trusted keys")]
    Untrusted {
        /// The package folder.
        package: PathBuf,
        /// How many keys were tried.
        keys: usize,
    },
    /// A public key is not 64 hexadecimal digits.
    #[error("trusted key in line {line}: must be 64 hexadecimal digits, an Ed25519 public key")]
    KeyFormat {
        /// The line of the key file, counted from 1.
        line: usize,
    },
    /// The manifest is not TOML of the expected shape.
    #[error("package {package}: manifest.toml: {cause}")]
    Manifest {
        /// The package folder.
        package: PathBuf,
        /// What the reader said, with the line.
        cause: Box<toml::de::Error>,
    },
    /// The software carries no package of this name.
    #[error("no package {id:?} is shipped with this software; give its folder")]
    NotShipped {
        /// The name that was asked for.
        id: String,
    },
    /// The package is of another kind than was asked for.
    #[error("package {id} is not a model of the wanted kind: {wanted}")]
    Kind {
        /// The package.
        id: String,
        /// What the model was wanted for.
        wanted: &'static str,
    },
    /// The package cannot take the place of the one that the software carries.
    #[error("package {id}: {what} is {found}, the software has a place for {expected}")]
    Place {
        /// The package.
        id: String,
        /// What differs.
        what: &'static str,
        /// What the package has.
        found: String,
        /// What the software has a place for.
        expected: String,
    },
    /// A field of the manifest has an impossible value.
    #[error("manifest field {field} = {found}: {expected}")]
    Field {
        /// The field's path.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A file's content is not the one that was signed.
    #[error("package file {path}: sha256 {found}, the manifest says {expected}")]
    Digest {
        /// The file.
        path: PathBuf,
        /// The digest in the manifest.
        expected: String,
        /// The digest of the file.
        found: String,
    },
    /// The model file is not ONNX, or uses something that is not accepted.
    #[error("{model}: {reason}")]
    Graph {
        /// The file name of the model.
        model: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The scale of a dynamically quantized model depends on the whole batch, so one patient's values would change
    /// another patient's result.
    #[error(
        "{model}: operator {operator} is dynamic quantization; quantize statically, a patient's result must not depend on the batch"
    )]
    DynamicQuantization {
        /// The file name of the model.
        model: String,
        /// The operator.
        operator: String,
    },
    /// An operator of another domain than ONNX's own.
    #[error("{model}: operator {operator} of domain {domain:?}; only ONNX's own operators are accepted")]
    ForeignOperator {
        /// The file name of the model.
        model: String,
        /// The operator.
        operator: String,
        /// Its domain.
        domain: String,
    },
    /// An operator that is not on the list of those known to run exactly.
    #[error("{model}: operator {operator} is not accepted")]
    UnknownOperator {
        /// The file name of the model.
        model: String,
        /// The operator.
        operator: String,
    },
    /// Input or output of the graph is not what the manifest says.
    #[error("{model}: {which} is {found}, the manifest says {expected}")]
    Shape {
        /// The file name of the model.
        model: String,
        /// Which end of the graph.
        which: &'static str,
        /// What the graph has.
        found: String,
        /// What the manifest has.
        expected: String,
    },
    /// The inference engine refused or failed.
    #[error("{model}: the engine could not {action}: {reason}")]
    Engine {
        /// The file name of the model.
        model: String,
        /// What it was asked to do.
        action: &'static str,
        /// What it said.
        reason: String,
    },
    /// The GPU could not be used. The CPU can.
    #[error("GPU {gpu}: could not {action}: {reason}; the CPU is used instead")]
    Gpu {
        /// Name and driver of the GPU.
        gpu: String,
        /// What it was asked to do.
        action: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// `golden.json` could not be read as golden vectors.
    #[error("golden.json: {0}")]
    GoldenFormat(String),
    /// This machine's result differs from the golden vector.
    #[error("golden vector {vector:?}: {quantity} is {found}, expected {expected}")]
    Golden {
        /// The name of the vector.
        vector: String,
        /// Which quantity differs.
        quantity: String,
        /// What came out here.
        found: String,
        /// What the package says.
        expected: String,
    },
    /// A row given for prediction does not fit.
    #[error("row {row}: {reason}")]
    Row {
        /// The index of the row in the batch.
        row: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A quantization certificate cannot be issued, or is not one of this package on this machine.
    #[error("certificate of {model}: {field} is {found}: {expected}")]
    Certificate {
        /// The name of the model.
        model: String,
        /// What is wrong.
        field: &'static str,
        /// What it is.
        found: String,
        /// What it must be, and what to do.
        expected: &'static str,
    },
}
