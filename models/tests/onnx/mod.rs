//! Writes small ONNX files by hand (protocol buffers are tag, length, content), so that tests need no Python.

/// One operator.
pub struct Node {
    operator: &'static str,
    inputs: Vec<&'static str>,
    output: &'static str,
    domain: &'static str,
    attributes: Vec<(&'static str, i64)>,
}

impl Node {
    pub fn new(operator: &'static str, inputs: &[&'static str], output: &'static str) -> Self {
        Self {
            operator,
            inputs: inputs.to_vec(),
            output,
            domain: "",
            attributes: Vec::new(),
        }
    }

    pub fn of(self, domain: &'static str) -> Self {
        Self { domain, ..self }
    }

    /// With a whole number as an attribute.
    pub fn with(mut self, name: &'static str, value: i64) -> Self {
        self.attributes.push((name, value));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let inputs = self.inputs.iter().flat_map(|name| field(1, name.as_bytes()));
        inputs
            .chain(field(2, self.output.as_bytes()))
            .chain(field(4, self.operator.as_bytes()))
            .chain(
                self.attributes
                    .iter()
                    .flat_map(|(name, value)| field(5, &attribute(name, *value))),
            )
            .chain(field(7, self.domain.as_bytes()))
            .collect()
    }
}

/// A model from f32 `features` [batch, width] to f32 `logit` [batch, 1], with zero weights `w` [width, 1].
pub fn model(nodes: &[Node], width: u64) -> Vec<u8> {
    let mut weights = weights(width);
    weights.extend(field(9, &vec![0; 4 * usize::try_from(width).unwrap()]));
    build(nodes, width, &weights)
}

/// The same, with `w` in another file.
pub fn model_with_external_weights(nodes: &[Node], width: u64) -> Vec<u8> {
    let mut weights = weights(width);
    let location: Vec<u8> = field(1, b"location").into_iter().chain(field(2, b"/etc/hostname")).collect();
    weights.extend(field(13, &location));
    weights.extend(number(14, 1));
    build(nodes, width, &weights)
}

/// A model of two inputs f32, a window [batch, channels, samples] and `rhythm` [batch, columns], that looks at neither: the `logits` are
/// the same for every row.
pub fn of_one_opinion(channels: u64, samples: u64, columns: u64, logits: &[f32]) -> Vec<u8> {
    let classes = logits.len() as u64;
    let nodes = [
        Node::new("Flatten", &["window"], "flat").with("axis", 1),
        Node::new("MatMul", &["flat", "nothing of the window"], "of window"),
        Node::new("MatMul", &["rhythm", "nothing of the rhythm"], "of rhythm"),
        Node::new("Add", &["of window", "of rhythm"], "nothing"),
        Node::new("Add", &["nothing", "opinion"], "logits"),
    ];
    let zeros = |name, rows: u64| constant(name, &[rows, classes], &vec![0.0; (rows * classes) as usize]);
    let constants = [
        zeros("nothing of the window", channels * samples),
        zeros("nothing of the rhythm", columns),
        constant("opinion", &[classes], logits),
    ];
    let inputs = [value("window", &[channels, samples]), value("rhythm", &[columns])];
    graph(&nodes, &constants, &inputs, &value("logits", &[classes]))
}

fn constant(name: &str, shape: &[u64], values: &[f32]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|length| number(1, *length)).collect();
    let content: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [shape, number(2, 1), field(8, name.as_bytes()), field(9, &content)].concat()
}

fn weights(width: u64) -> Vec<u8> {
    [number(1, width), number(1, 1), number(2, 1), field(8, b"w")].concat()
}

fn build(nodes: &[Node], width: u64, weights: &[u8]) -> Vec<u8> {
    graph(
        nodes,
        &[weights.to_vec()],
        &[value("features", &[width])],
        &value("logit", &[1]),
    )
}

fn graph(nodes: &[Node], constants: &[Vec<u8>], inputs: &[Vec<u8>], output: &[u8]) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, &node.bytes())).collect();
    graph.extend(field(2, b"test"));
    graph.extend(constants.iter().flat_map(|constant| field(5, constant)));
    graph.extend(inputs.iter().flat_map(|input| field(11, input)));
    graph.extend(field(12, output));
    let opset = number(2, 17);
    [number(1, 8), field(7, &graph), field(8, &opset)].concat()
}

/// A value [batch, …].
fn value(name: &str, row: &[u64]) -> Vec<u8> {
    let batch = field(1, &field(2, b"batch"));
    let row = row.iter().flat_map(|length| field(1, &number(1, *length)));
    let shape: Vec<u8> = batch.into_iter().chain(row).collect();
    let tensor = [number(1, 1), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn attribute(name: &str, value: i64) -> Vec<u8> {
    const INT: u64 = 2;
    [field(1, name.as_bytes()), number(3, value as u64), number(20, INT)].concat()
}

fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
