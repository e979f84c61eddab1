"""Models as their events describe them: plain data for the tests of the graph."""

from __future__ import annotations

from nbkeras.events import Connection, LayerInfo, ModelBuilt, WeightInfo

IMAGE = (None, 28, 28, 1)
HOSTILE = (
    "</script><script>alert(1)</script>",
    'x> image="/etc/passwd"',
    "<img src=x onerror=alert(1)>",
    "a\x1b[31mred\x1b[0m",
    "a\u202egnp.exe",
    "]]>&amp;<!--",
    "$\\frac{1}{0}$",
    "\ud800\ufffe\x00",
    "",
    "名" * 80,
)


def layer(name, kind, shape, sources=(), parameters=0, trainable=True, **more) -> LayerInfo:
    """A layer fed by layers, or by (layer, shape, call, tensor) connections."""
    connections = tuple(
        source
        if isinstance(source, Connection)
        else Connection(source.name, source.output_shape or ())
        for source in sources
    )
    shapes = tuple(connection.shape for connection in connections)
    return LayerInfo(
        name,
        kind,
        shapes if len(shapes) > 1 else shapes[0] if shapes else None,
        shape,
        parameters,
        parameters if trainable else 0,
        trainable,
        4 * parameters,
        connections,
        **more,
    )


def model(*layers: LayerInfo, name="net", outputs=()) -> ModelBuilt:
    inputs = tuple(one.name for one in layers if one.kind == "InputLayer")
    parameters = sum(one.parameters for one in layers)
    return ModelBuilt(name, "Model", layers, inputs, outputs, parameters, parameters, 4)


def chain(length=20) -> ModelBuilt:
    layers = [layer("input", "InputLayer", (None, 8))]
    for number in range(1, length):
        units = 8 + number  # no two alike, so nothing is a block
        layers.append(layer(f"dense_{number}", "Dense", (None, units), layers[-1:], units * 8))
    return model(*layers, name="chain", outputs=(layers[-1].name,))


def two_inputs() -> ModelBuilt:
    """The model of chapter 3.2.4 of the Keras 2 manual."""
    main = layer("main_input", "InputLayer", (None, 100))
    embedding = layer("embedding_1", "Embedding", (None, 100, 512), [main], 5_120_000)
    kernel = WeightInfo("lstm_1/kernel:0", (512, 128), "float32", True)
    lstm = layer(
        "lstm_1", "LSTM", (None, 32), [embedding], 69_760, weights=(kernel,), config={"units": 32}
    )
    early = layer("aux_output", "Dense", (None, 1), [lstm], 33)
    side = layer("aux_input", "InputLayer", (None, 5))
    joined = layer("concatenate_1", "Concatenate", (None, 37), [lstm, side])
    dense = [layer("dense_1", "Dense", (None, 64), [joined], 2432)]
    dense.append(layer("dense_2", "Dense", (None, 64), dense[-1:], 4160, trainable=False))
    dense.append(layer("dense_3", "Dense", (None, 64), dense[-1:], 4160))
    last = layer("main_output", "Dense", (None, 1), dense[-1:], 65)
    layers = (main, embedding, lstm, side, joined, *dense, last, early)
    return model(*layers, name="two_inputs", outputs=("main_output", "aux_output"))


def residual(blocks=66) -> ModelBuilt:
    """Three layers a block, each block with a connection around it."""
    layers = [layer("input", "InputLayer", (None, 64))]
    for number in range(blocks):
        start = layers[-1]
        dense = layer(f"dense_{number}", "Dense", (None, 64), [start], 4160)
        relu = layer(f"relu_{number}", "Activation", (None, 64), [dense])
        layers += [dense, relu, layer(f"add_{number}", "Add", (None, 64), [start, relu])]
    layers.append(layer("out", "Dense", (None, 10), layers[-1:], 650))
    return model(*layers, name="residual", outputs=("out",))


def resnet(stages=((64, 5), (128, 6), (256, 6), (512, 3))) -> ModelBuilt:
    """The layers of a ResNet of more than 200 layers, in Keras' order and with its names."""
    layers = [layer("input_1", "InputLayer", (None, 224, 224, 3))]

    def add(name, kind, shape, *sources, parameters=0):
        layers.append(layer(name, kind, shape, sources or layers[-1:], parameters))
        return layers[-1]

    size = 112
    add("conv1_conv", "Conv2D", (None, size, size, 64), parameters=9472)
    add("conv1_bn", "BatchNormalization", (None, size, size, 64), parameters=256)
    for stage, (width, count) in enumerate(stages, 2):
        size //= 2
        narrow, wide = (None, size, size, width), (None, size, size, 4 * width)
        for block in range(1, count + 1):
            name, start = f"conv{stage}_block{block}", layers[-1]
            around = start
            if block == 1:
                around = add(f"{name}_0_conv", "Conv2D", wide, start, parameters=width)
                around = add(f"{name}_0_bn", "BatchNormalization", wide, around, parameters=width)
            add(f"{name}_1_conv", "Conv2D", narrow, start, parameters=2 * width)
            add(f"{name}_1_bn", "BatchNormalization", narrow, parameters=width)
            add(f"{name}_1_relu", "Activation", narrow)
            add(f"{name}_2_conv", "Conv2D", narrow, parameters=9 * width)
            add(f"{name}_2_bn", "BatchNormalization", narrow, parameters=width)
            add(f"{name}_2_relu", "Activation", narrow)
            add(f"{name}_3_conv", "Conv2D", wide, parameters=4 * width)
            last = add(f"{name}_3_bn", "BatchNormalization", wide, parameters=width)
            add(f"{name}_add", "Add", wide, around, last)
            add(f"{name}_out", "Activation", wide)
    add("avg_pool", "GlobalAveragePooling2D", (None, 2048))
    add("probs", "Dense", (None, 1000), parameters=2_049_000)
    return model(*layers, name="resnet", outputs=("probs",))


def inception(modules=3) -> ModelBuilt:
    shape = (None, 28, 28, 64)
    layers = [layer("input", "InputLayer", shape)]
    for module in range(modules):
        start, ends = layers[-1], []
        for branch in range(4):
            last = start
            for step in range(max(1, branch)):
                last = layer(f"mixed{module}_{branch}_{step}", "Conv2D", shape, [last], 36_928)
                layers.append(last)
            ends.append(last)
        layers.append(layer(f"mixed{module}", "Concatenate", (None, 28, 28, 256), ends))
    return model(*layers, name="inception")


def siamese() -> ModelBuilt:
    """Two inputs through one shared sub-model."""
    inside = [layer("image", "InputLayer", IMAGE)]
    inside.append(layer("conv", "Conv2D", (None, 26, 26, 32), inside[-1:], 320, trainable=False))
    inside.append(layer("flat", "Flatten", (None, 21632), inside[-1:]))
    weights = (WeightInfo("embed/kernel:0", (21632, 64), "float32", True),)
    inside.append(layer("embed", "Dense", (None, 64), inside[-1:], 1_384_512, weights=weights))
    left, right = layer("left", "InputLayer", IMAGE), layer("right", "InputLayer", IMAGE)
    calls = [Connection("left", IMAGE, 0), Connection("right", IMAGE, 1)]
    encoder = layer("encoder", "Model", (None, 64), calls, 1_384_832, layers=tuple(inside))
    made = [Connection("encoder", (None, 64), source_call=call) for call in range(2)]
    distance = layer("distance", "Lambda", (None, 64), made)
    return model(left, right, encoder, distance, name="siamese")


def hostile() -> ModelBuilt:
    layers = [layer("input", "InputLayer", (None, 4))]
    for name in HOSTILE:
        layers.append(layer(name, name or "Dense", (None, 4), layers[-1:], 1, config={name: name}))
    return model(*layers, name=HOSTILE[0])


NAMED = {
    "chain": chain,
    "two_inputs": two_inputs,
    "residual": residual,
    "resnet": resnet,
    "inception": inception,
    "siamese": siamese,
    "hostile": hostile,
}
