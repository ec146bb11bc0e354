//! The functions that look up, split and choose: `Fn::FindInMap`, `Fn::Select`, `Fn::Split`, `Fn::Cidr` and their like.

use std::net::IpAddr;

use super::TemplateError;
use super::intrinsics::{Place, Scope, arguments};
use super::yaml::{Node, Value};

/// Networks that one `Fn::Cidr` gives at the most.
const MAX_NETWORKS: u32 = 256;

impl Scope<'_> {
    pub(crate) fn select(&self, at: Place<'_>, line: usize, argument: &Node) -> Result<Option<Node>, TemplateError> {
        let [index, list] = arguments(at, "Fn::Select", argument)?;
        let items = self.list(at, list)?;
        let index = self.text(at, index)?;
        let chosen = index.parse::<usize>().ok().and_then(|index| items.get(index)).cloned();
        chosen
            .map(Some)
            .ok_or_else(|| at.error(line, format!("Fn::Select wants an index below {}; \"{index}\" came", items.len())))
    }

    pub(crate) fn split(&self, at: Place<'_>, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let [delimiter, text] = arguments(at, "Fn::Split", argument)?;
        let (delimiter, text) = (self.text(at, delimiter)?, self.text(at, text)?);
        if delimiter.is_empty() {
            return Err(at.error(line, "Fn::Split wants a delimiter; an empty one came"));
        }
        let items: Vec<Node> = text.split(&delimiter).map(|part| Node::scalar(line, part)).collect();
        self.spend(at, line, items.len())?;
        Ok(Node { line, value: Value::Seq(items) })
    }

    /// `[map, first key, second key]`, and `{DefaultValue: …}` of the transform AWS::LanguageExtensions.
    pub(crate) fn find_in_map(&self, at: Place<'_>, argument: &Node) -> Result<Option<Node>, TemplateError> {
        let (keys, default) = match &argument.value {
            Value::Seq(items) if items.len() == 4 => (&items[..3], items[3].get("DefaultValue")),
            Value::Seq(items) if items.len() == 3 => (&items[..], None),
            _ => {
                let message = format!("Fn::FindInMap wants a map and two keys; {} came", argument.came());
                return Err(at.error(argument.line, message));
            }
        };
        let keys = keys.iter().map(|key| self.text(at, key)).collect::<Result<Vec<_>, _>>()?;
        let found = keys.iter().try_fold(self.root.get("Mappings"), |node, key| node.map(|node| node.get(key)));
        match (found.flatten(), default) {
            (Some(found), _) => self.resolve(at, found),
            (None, Some(default)) => self.resolve(at, default),
            (None, None) => Err(at.error(argument.line, format!("Mappings has no {}", keys.join(" / ")))),
        }
    }

    /// Every region has three zones here.
    pub(crate) fn zones(&self, at: Place<'_>, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let region = self.optional_text(at, argument)?.filter(|region| !region.is_empty());
        let region = region.unwrap_or_else(|| self.settings.region.clone());
        let zones = ["a", "b", "c"].map(|zone| Node::scalar(line, format!("{region}{zone}")));
        Ok(Node { line, value: Value::Seq(zones.to_vec()) })
    }

    /// `[block, count, host bits]`: the first networks of a block.
    pub(crate) fn cidr(&self, at: Place<'_>, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let items = match &argument.value {
            Value::Seq(items) if items.len() == 2 || items.len() == 3 => items,
            _ => {
                return Err(
                    at.error(line, format!("Fn::Cidr wants a block, a count and bits; {} came", argument.came()))
                );
            }
        };
        let texts = items.iter().map(|item| self.text(at, item)).collect::<Result<Vec<_>, _>>()?;
        let count = texts[1].parse::<u32>().ok().filter(|count| (1..=MAX_NETWORKS).contains(count));
        let networks = count.and_then(|count| networks(&texts[0], count, texts.get(2).map(String::as_str)));
        let networks = networks.ok_or_else(|| {
            at.error(line, format!("Fn::Cidr wants a block that holds so many networks; \"{}\" came", texts.join(", ")))
        })?;
        let networks = networks.into_iter().map(|network| Node::scalar(line, network)).collect();
        Ok(Node { line, value: Value::Seq(networks) })
    }

    /// What another stack exports is not known here.
    pub(crate) fn import(&self, at: Place<'_>, line: usize, argument: &Node) -> Result<String, TemplateError> {
        let name = self.text(at, argument)?;
        let message = format!(
            "{}: the export {name} of another stack is not known here; \"local:{name}\" stands in for it",
            at.property
        );
        self.note(at.resource, line, message);
        Ok(format!("local:{name}"))
    }
}

/// Networks of `bits` host bits within `block`; `None` where they don't fit, or something is no address.
fn networks(block: &str, count: u32, bits: Option<&str>) -> Option<Vec<String>> {
    let (address, prefix) = block.split_once('/')?;
    let (address, prefix) = (address.parse::<IpAddr>().ok()?, prefix.parse::<u32>().ok()?);
    let width: u32 = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(if address.is_ipv4() { 8 } else { 64 }), |bits| bits.parse().ok())?;
    let own_prefix = width.checked_sub(bits)?;
    let room = own_prefix.checked_sub(prefix)?;
    if bits >= width || u128::from(count) > 1u128.checked_shl(room).unwrap_or(u128::MAX) {
        return None;
    }
    let value = match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    let host_bits = width.checked_sub(prefix)?;
    let base = value.checked_shr(host_bits).unwrap_or(0).checked_shl(host_bits).unwrap_or(0);
    let network = |index: u32| {
        let value = base + (u128::from(index) << bits);
        let address = match address {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(value).ok()?.into()),
            IpAddr::V6(_) => IpAddr::V6(value.into()),
        };
        Some(format!("{address}/{own_prefix}"))
    };
    (0..count).map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::networks;

    #[test]
    fn networks_follow_one_another_within_their_block() {
        assert_eq!(networks("10.0.0.0/16", 3, Some("8")).unwrap(), ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]);
        assert_eq!(networks("2001:db8::/56", 2, Some("64")).unwrap(), ["2001:db8::/64", "2001:db8:0:1::/64"]);
        for (block, count, bits) in
            [("10.0.0.0/24", 2, "8"), ("10.0.0.0/40", 1, "8"), ("10.0.0.0", 1, "8"), ("::/0", 1, "128")]
        {
            assert_eq!(networks(block, count, Some(bits)), None, "{block} {count} {bits}");
        }
    }
}
