//! What a Home Assistant on another machine has to show: 32 bytes, which people copy as Base64.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key of a node.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::entities) struct NodeKey([u8; 32]);

impl NodeKey {
    /// One that nobody knows.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub(in crate::entities) fn make() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As people copy it, and Home Assistant takes it.
    pub(in crate::entities) fn text(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }
}

/// It opens the node, so it is in no log.
impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey")
    }
}

impl Serialize for NodeKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for NodeKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        let bytes = bytes.try_into().map_err(|_| serde::de::Error::custom("a key has 32 bytes"))?;
        Ok(Self(bytes))
    }
}
