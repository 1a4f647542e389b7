//! As much of the protobuf wire format as a Perfetto trace needs: fields that are appended to bytes.

/// A message that is being written.
#[derive(Default)]
pub(super) struct Proto(Vec<u8>);

impl Proto {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn tag(&mut self, field: u32, wire: u64) {
        self.varint(u64::from(field) << 3 | wire);
    }

    /// An integer, a flag or a member of an enum.
    pub(super) fn number(mut self, field: u32, number: u64) -> Proto {
        self.tag(field, 0);
        self.varint(number);
        self
    }

    /// 64 bits, always as long.
    pub(super) fn fixed(mut self, field: u32, number: u64) -> Proto {
        self.tag(field, 1);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, field: u32, bytes: &[u8]) -> Proto {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(self, field: u32, text: &str) -> Proto {
        self.bytes(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u32, message: &Proto) -> Proto {
        self.bytes(field, &message.0)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Proto;

    /// The examples of protobuf's own description of its encoding.
    #[test]
    fn it_is_written_as_protobuf_says() {
        assert_eq!(Proto::default().number(1, 150).as_bytes(), [0x08, 0x96, 0x01]);
        let text = Proto::default().text(2, "testing");
        assert_eq!(text.as_bytes(), b"\x12\x07testing");
        let inner = Proto::default().number(1, 150);
        assert_eq!(Proto::default().message(3, &inner).as_bytes(), [0x1a, 3, 0x08, 0x96, 0x01]);
        assert_eq!(Proto::default().fixed(1, 1).as_bytes(), [0x09, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
