//! Does a meta reply belong to a request?

use super::ProtocolError;
use crate::meta::{MetaCode, MetaHead, MetaShape, MetaVerb, ReturnFlag, bit};

impl MetaShape {
    /// Whose reply is it? `None` where it does not say.
    pub(crate) fn is_answered_by(
        self,
        head: &MetaHead<'_>,
        key: &[u8],
        opaque: Option<&[u8]>,
    ) -> Option<bool> {
        // A quiet `mg` that misses is silent: the line answers one that is not.
        if head.code == MetaCode::Noop || head.is_bare_miss() {
            return Some(false);
        }
        if let Some(opaque) = opaque {
            return Some(head.opaque() == Some(opaque));
        }
        if head.opaque().is_some() {
            return Some(false);
        }
        match head.key() {
            Some(returned) => Some(self.asks(b'k') && returned.is(key)),
            None if self.asks(b'k') => Some(false),
            None => None,
        }
    }

    /// Holds a reply against what was asked.
    pub(crate) fn check(
        self,
        head: &MetaHead<'_>,
        key: &[u8],
        opaque: Option<&[u8]>,
    ) -> Result<(), ProtocolError> {
        // Nothing but the oldest request's answer, if that is an `mg`: it brings nothing that could be another's, and were
        // it one line too many, the opaque behind it would tell.
        if head.is_bare_miss() && self.verb == MetaVerb::Get && !self.quiet {
            return Ok(());
        }
        if head.opaque() != opaque && self.verb != MetaVerb::Debug {
            // The answer to `mn` has no opaque; it cannot be taken for one that lacks its own.
            return Err(match head.code {
                MetaCode::Noop => ProtocolError::Unexpected,
                _ => ProtocolError::WrongOpaque,
            });
        }
        if !self.has_code(head.code) {
            return Err(ProtocolError::Unexpected);
        }
        let mut returned = 0;
        for flag in head.flags() {
            match flag {
                ReturnFlag::Base64 => {}
                ReturnFlag::Win | ReturnFlag::Stale | ReturnFlag::WonByOther
                    if self.verb == MetaVerb::Get => {}
                flag => returned |= bit(flag.letter()),
            }
        }
        // memcached 1.6.20 answers an `ms` with `c` by the size, too.
        let may_add = if self.verb == MetaVerb::Set && self.asks(b'c') { bit(b's') } else { 0 };
        if returned & !self.returns & !may_add != 0 {
            return Err(ProtocolError::Unexpected);
        }
        if self.asks(b'k') && !head.has_key(key) {
            return Err(ProtocolError::WrongKey);
        }
        if matches!(head.code, MetaCode::Done | MetaCode::Value) {
            // memcached takes `s` from an `ms` and answers it since 1.6.20 only.
            let may_lack = if self.verb == MetaVerb::Set { bit(b's') } else { 0 };
            let lacks = self.returns & !returned & !may_lack;
            if lacks != 0 {
                let cas = lacks == bit(b'c');
                return Err(if cas { ProtocolError::MissingCas } else { ProtocolError::Unexpected });
            }
        }
        Ok(())
    }

    fn has_code(self, code: MetaCode) -> bool {
        match (self.verb, code) {
            (MetaVerb::Get | MetaVerb::Arith, MetaCode::Value) => self.value && self.tells_success(),
            (MetaVerb::Get, MetaCode::Done) => !self.value || self.or_done,
            (MetaVerb::Arith, MetaCode::Done) => !self.value && self.tells_success(),
            (MetaVerb::Set | MetaVerb::Delete, MetaCode::Done) => !self.quiet,
            (MetaVerb::Get, MetaCode::Miss) => !self.quiet,
            (MetaVerb::Debug, MetaCode::Miss)
            | (MetaVerb::Set | MetaVerb::Arith, MetaCode::NotStored)
            | (MetaVerb::Set | MetaVerb::Delete | MetaVerb::Arith, MetaCode::NotFound | MetaCode::Exists)
            | (MetaVerb::Noop, MetaCode::Noop) => true,
            _ => false,
        }
    }

    const fn tells_success(self) -> bool {
        !self.quiet || self.vivifies || matches!(self.verb, MetaVerb::Get)
    }
}
