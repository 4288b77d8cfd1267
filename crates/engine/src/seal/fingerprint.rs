//! Fingerprints that tell whether two texts are equal, and nothing else to who lacks the key.

use sha2::{Digest, Sha256};

use crate::seal::SealKey;

impl SealKey {
    /// A keyed fingerprint as 64 hexadecimal digits. Without the key a low-entropy secret cannot be guessed from it.
    pub fn fingerprint(&self, contents: &[u8]) -> String {
        let inner = Sha256::new()
            .chain_update(b"seaworthy inner")
            .chain_update(self.0)
            .chain_update(contents)
            .finalize();
        let outer = Sha256::new()
            .chain_update(b"seaworthy outer")
            .chain_update(self.0)
            .chain_update(inner)
            .finalize();
        outer.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_on_contents_and_key() {
        let key = SealKey::new([1; 32]);
        assert_eq!(key.fingerprint(b"a"), key.fingerprint(b"a"));
        assert_ne!(key.fingerprint(b"a"), key.fingerprint(b"b"));
        assert_ne!(key.fingerprint(b"a"), SealKey::new([2; 32]).fingerprint(b"a"));
        assert_eq!(key.fingerprint(b"").len(), 64);
    }
}
