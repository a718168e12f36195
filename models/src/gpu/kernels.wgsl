// The steps of an integer plan on a GPU. Integers only: no rounding mode, no flushed denormal and no fused operation of
// any driver can change a bit.
//
// A level is stored as level - 128, a signed byte, four channels to a word. A position takes whole words; the bytes of
// channels that do not exist are never read as anything but a factor of 0. Whole numbers that are the same for every
// invocation are pipeline constants, so that a driver can unroll with them.

requires packed_4x8_integer_dot_product;

// What the rows of a batch lie in: for each row of the batch, all rows of levels of the plan.
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
// Weights, biases, shifts and tables, resident.
@group(0) @binding(1) var<storage, read> resident: array<vec4<u32>>;
// Levels of the inputs, as bytes without gaps between positions.
@group(0) @binding(2) var<storage, read> upload: array<u32>;
@group(0) @binding(3) var<storage, read_write> download: array<u32>;
struct Batch { rows: u32 }
@group(0) @binding(4) var<uniform> batch: Batch;

// Words of a row of the batch in the arena, and in what comes and goes.
override ARENA: u32 = 1u;
override UPLOAD: u32 = 1u;
override DOWNLOAD: u32 = 1u;
// Invocations for a row of the batch.
override ITEMS: u32 = 1u;
// Where in a row of the arena the levels are read and written, in words; of the upload, in bytes.
override FROM: u32 = 0u;
override AND: u32 = 0u;
override TO: u32 = 0u;
// Words of a position.
override IN_WORDS: u32 = 1u;
override OUT_WORDS: u32 = 1u;
// Positions.
override IN_LENGTH: u32 = 1u;
override OUT_LENGTH: u32 = 1u;
// Channels, where gaps matter.
override CHANNELS: u32 = 1u;
// Where in `resident` the step's constants begin.
override CONSTANTS: u32 = 0u;

// Of a convolution. An output word's channels depend on so many neighbouring input words.
override KERNEL: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: i32 = 0;
override REACH: u32 = 1u;
override ZERO_IN: u32 = 0u;
override ZERO_OUT: i32 = 0;
// Of a look-up: how many tables there are, one or as many as channels.
override TABLES: u32 = 1u;

// Positions that one invocation computes, so that a weight is read once for all of them.
const BLOCK: u32 = 4u;

fn word(index: u32) -> u32 {
    return resident[index / 4u][index % 4u];
}

// `magnitude / 2^bits`, to the nearest, ties to even; `bits` from 1 to 31.
fn shifted(magnitude: u32, bits: u32) -> u32 {
    let whole = magnitude >> bits;
    let rest = magnitude & ((1u << bits) - 1u);
    let half = 1u << (bits - 1u);
    return whole + select(0u, 1u, rest > half || (rest == half && (whole & 1u) == 1u));
}

// `f32(sum) / 2^shift`, rounded with ties to even, as a level around ZERO_OUT, stored.
fn requantized(sum: i32, shift: i32) -> u32 {
    var magnitude = u32(abs(sum));
    // ONNX converts to f32 first, which keeps 24 bits.
    if magnitude >= 1u << 24u {
        let lost = firstLeadingBit(magnitude) - 23u;
        magnitude = shifted(magnitude, lost) << lost;
    }
    if shift >= 32 {
        magnitude = 0u;
    } else if shift > 0 {
        magnitude = shifted(magnitude, u32(shift));
    } else {
        // Beyond 255 it is clamped anyway.
        magnitude = min(magnitude, 511u) << u32(min(-shift, 9));
    }
    let level = clamp(select(i32(magnitude), -i32(magnitude), sum < 0) + ZERO_OUT, 0, 255);
    return u32(level) ^ 0x80u;
}

fn packed(sums: vec4<i32>, shifts: vec4<i32>) -> u32 {
    return requantized(sums.x, shifts.x)
        | requantized(sums.y, shifts.y) << 8u
        | requantized(sums.z, shifts.z) << 16u
        | requantized(sums.w, shifts.w) << 24u;
}

fn products(levels: u32, weights: vec4<u32>) -> vec4<i32> {
    return vec4<i32>(
        dot4I8Packed(levels, weights.x),
        dot4I8Packed(levels, weights.y),
        dot4I8Packed(levels, weights.z),
        dot4I8Packed(levels, weights.w),
    );
}

// Padding stands for 0.
fn levels_at(row: u32, position: i32, word: u32) -> u32 {
    if position < 0 || position >= i32(IN_LENGTH) {
        return ZERO_IN;
    }
    return arena[row + u32(position) * IN_WORDS + word];
}

// Four channels at BLOCK positions. Constants of an output word: biases, shifts, first input word, then for each place of
// the kernel and each word of the reach the weights of its four channels.
@compute @workgroup_size(64)
fn convolve(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ITEMS;
    if row >= batch.rows {
        return;
    }
    let item = id.x % ITEMS;
    let output = item % OUT_WORDS;
    let first = item / OUT_WORDS * BLOCK;
    let constants = CONSTANTS + output * (3u + KERNEL * REACH);
    let bias = bitcast<vec4<i32>>(resident[constants]);
    let shifts = bitcast<vec4<i32>>(resident[constants + 1u]);
    let begin = resident[constants + 2u].x;
    let source = row * ARENA + FROM;
    var sums = array<vec4<i32>, 4>(bias, bias, bias, bias);
    var weight = constants + 3u;
    for (var place = 0u; place < KERNEL; place += 1u) {
        let position = i32(first * STRIDE + place) - PADDING;
        for (var reach = begin; reach < begin + REACH; reach += 1u) {
            let weights = resident[weight];
            weight += 1u;
            sums[0] += products(levels_at(source, position, reach), weights);
            sums[1] += products(levels_at(source, position + i32(STRIDE), reach), weights);
            sums[2] += products(levels_at(source, position + i32(2u * STRIDE), reach), weights);
            sums[3] += products(levels_at(source, position + i32(3u * STRIDE), reach), weights);
        }
    }
    let to = row * ARENA + TO + output;
    for (var index = 0u; index < min(BLOCK, OUT_LENGTH - first); index += 1u) {
        arena[to + (first + index) * OUT_WORDS] = packed(sums[index], shifts);
    }
}

// Constants: for each level but the lowest, the smallest sum that gives it.
fn mean_level(sum: i32) -> u32 {
    var level = 0u;
    for (var half = 128u; half > 0u; half /= 2u) {
        if sum >= bitcast<i32>(word(CONSTANTS * 4u + level + half - 1u)) {
            level += half;
        }
    }
    return level ^ 0x80u;
}

@compute @workgroup_size(64)
fn mean(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ITEMS;
    if row >= batch.rows {
        return;
    }
    let item = id.x % ITEMS;
    let source = row * ARENA + FROM + item;
    var sums = vec4<i32>();
    for (var position = 0u; position < IN_LENGTH; position += 1u) {
        sums += unpack4xI8(arena[source + position * IN_WORDS]);
    }
    arena[row * ARENA + TO + item] = mean_level(sums.x)
        | mean_level(sums.y) << 8u
        | mean_level(sums.z) << 16u
        | mean_level(sums.w) << 24u;
}

// A byte of a table that begins at CONSTANTS.
fn entry(index: u32) -> u32 {
    return word(CONSTANTS * 4u + index / 4u) >> (index % 4u * 8u) & 255u;
}

// Constants: tables of 256 bytes.
@compute @workgroup_size(64)
fn look_up(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ITEMS;
    if row >= batch.rows {
        return;
    }
    let item = id.x % ITEMS;
    let levels = arena[row * ARENA + FROM + item];
    var result = 0u;
    for (var lane = 0u; lane < 4u; lane += 1u) {
        let channel = item % OUT_WORDS * 4u + lane;
        let table = min(channel, TABLES - 1u);
        result |= entry(table * 256u + (levels >> (lane * 8u) & 255u)) << (lane * 8u);
    }
    arena[row * ARENA + TO + item] = result;
}

// Constants: the sum of each pair of levels.
@compute @workgroup_size(64)
fn add(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ITEMS;
    if row >= batch.rows {
        return;
    }
    let item = id.x % ITEMS;
    let first = arena[row * ARENA + FROM + item];
    let second = arena[row * ARENA + AND + item];
    var result = 0u;
    for (var lane = 0u; lane < 32u; lane += 8u) {
        result |= entry((first >> lane & 255u) * 256u + (second >> lane & 255u)) << lane;
    }
    arena[row * ARENA + TO + item] = result;
}

// Any rearrangement. Constants, for each channel of the result: the byte of its first position in a row of the arena and
// how many bytes further the next one is.
@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ITEMS;
    if row >= batch.rows {
        return;
    }
    let item = id.x % ITEMS;
    var result = 0u;
    for (var lane = 0u; lane < 4u; lane += 1u) {
        let place = resident[CONSTANTS + item % OUT_WORDS * 4u + lane];
        let byte = place.x + item / OUT_WORDS * place.y;
        result |= (arena[row * ARENA + byte / 4u] >> (byte % 4u * 8u) & 255u) << (lane * 8u);
    }
    arena[row * ARENA + TO + item] = result;
}

// Levels of an input into the arena.
@compute @workgroup_size(64)
fn take(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ITEMS;
    if row >= batch.rows {
        return;
    }
    let item = id.x % ITEMS;
    let first = FROM + item / OUT_WORDS * CHANNELS;
    var result = 0u;
    for (var lane = 0u; lane < 4u; lane += 1u) {
        let byte = first + min(item % OUT_WORDS * 4u + lane, CHANNELS - 1u);
        result |= (upload[row * UPLOAD + byte / 4u] >> (byte % 4u * 8u) & 255u) << (lane * 8u);
    }
    arena[row * ARENA + TO + item] = result;
}

// The result out of the arena.
@compute @workgroup_size(64)
fn give(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ITEMS;
    if row >= batch.rows {
        return;
    }
    let item = id.x % ITEMS;
    download[row * DOWNLOAD + item] = arena[row * ARENA + FROM + item];
}
