//! What can be wrong with a command line or a configuration: the key, where it was set, what is allowed.

use std::path::PathBuf;

use config::ConfigError;

/// The command line or the configuration is wrong.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A flag is wrong, or help was asked for.
    #[error("{0}")]
    Usage(clap::Error),
    /// A value is not what its option takes.
    #[error("{key} = {value:?} in {origin}: expected {expectation}")]
    Value {
        /// The option.
        key: &'static str,
        /// As it was given.
        value: String,
        /// Where it was given.
        origin: String,
        /// What is allowed.
        expectation: String,
    },
    /// There is no such option.
    #[error("{key} in {origin}: there is no such option; docs/configuration.md lists them all")]
    UnknownKey {
        /// As it was given.
        key: String,
        /// Where it was given.
        origin: String,
    },
    /// The file cannot be read, or is not whole.
    #[error("the configuration file {path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// The table of options and the tree do not fit: a bug.
    #[error("{0}")]
    Tree(#[from] ConfigError),
}
