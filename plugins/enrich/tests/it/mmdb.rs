//! Writes small databases in the format MaxMind DB 2.0 (<https://maxmind.github.io/MaxMind-DB/>).

use serde_json::Value;

/// A database of IPv4 networks, each with a record.
pub(crate) fn database(kind: &str, networks: &[(&str, Value)]) -> Vec<u8> {
    // A tree of nodes with two branches each: none, another node, or a record.
    let mut nodes = vec![[Branch::None, Branch::None]];
    let mut data = Vec::new();
    for (network, record) in networks {
        let at = data.len();
        write(record, &mut data);
        let (address, bits) = network.split_once('/').unwrap();
        let address = u32::from(address.parse::<std::net::Ipv4Addr>().unwrap());
        let bits: u32 = bits.parse().unwrap();
        let mut node = 0;
        for bit in 0..bits {
            let side = (address >> (31 - bit) & 1) as usize;
            if bit + 1 == bits {
                nodes[node][side] = Branch::Record(at);
            } else if let Branch::Node(next) = nodes[node][side] {
                node = next;
            } else {
                nodes.push([Branch::None, Branch::None]);
                nodes[node][side] = Branch::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for branch in nodes.into_iter().flatten() {
        let value = match branch {
            Branch::None => count,
            Branch::Node(node) => node,
            // The data section begins behind sixteen zero bytes.
            Branch::Record(at) => count + 16 + at,
        };
        file.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&data);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let metadata = serde_json::json!({
        "node_count": count, "record_size": 24, "ip_version": 4, "database_type": kind, "languages": ["en"],
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_700_000_000_u64,
        "description": { "en": "test" },
    });
    write_metadata(&metadata, &mut file);
    file
}

/// Whose numbers have the types that the format gives them.
fn write_metadata(metadata: &Value, out: &mut Vec<u8>) {
    let members = metadata.as_object().unwrap();
    control(7, members.len(), out);
    for (name, value) in members {
        write(&Value::from(name.as_str()), out);
        let Some(number) = value.as_u64() else {
            write(value, out);
            continue;
        };
        match name.as_str() {
            "build_epoch" => {
                out.extend_from_slice(&[8, 9 - 7]);
                out.extend_from_slice(&number.to_be_bytes());
            }
            "node_count" => {
                control(6, 4, out);
                out.extend_from_slice(&(number as u32).to_be_bytes());
            }
            _ => {
                control(5, 2, out);
                out.extend_from_slice(&(number as u16).to_be_bytes());
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Branch {
    None,
    Node(usize),
    Record(usize),
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => {
            control(2, text.len(), out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Number(number) if number.is_f64() => {
            control(3, 8, out);
            out.extend_from_slice(&number.as_f64().unwrap().to_be_bytes());
        }
        Value::Number(number) => {
            control(6, 4, out);
            out.extend_from_slice(&(number.as_u64().unwrap() as u32).to_be_bytes());
        }
        Value::Object(members) => {
            control(7, members.len(), out);
            for (name, value) in members {
                write(&Value::from(name.as_str()), out);
                write(value, out);
            }
        }
        Value::Array(elements) => {
            out.extend_from_slice(&[elements.len() as u8, 11 - 7]);
            elements.iter().for_each(|element| write(element, out));
        }
        other => panic!("{other} is in no database of these tests"),
    }
}

fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    assert!(size < 285);
    match size {
        0..29 => out.push(kind << 5 | size as u8),
        _ => out.extend_from_slice(&[kind << 5 | 29, (size - 29) as u8]),
    }
}
