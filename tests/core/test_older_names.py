"""What programs written for Keras 2 import, from the modules they import it from."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest

from nbkeras import core as keras
from nbkeras.core import backend as K

IMPORTS = {
    "applications.imagenet_utils": "_obtain_input_shape decode_predictions preprocess_input",
    "applications.mobilenet": "MobileNet preprocess_input",
    "backend": "tf set_image_dim_ordering image_dim_ordering set_session tensorflow_backend",
    "backend.common": "floatx epsilon image_data_format normalize_data_format image_dim_ordering",
    "backend.tensorflow_backend": "set_session get_session clear_session tf _to_tensor dot relu",
    "callbacks": "Callback CallbackList History ProgbarLogger LambdaCallback ModelCheckpoint",
    "callbacks.callbacks": "Callback EarlyStopping ReduceLROnPlateau",
    "constraints": "maxnorm max_norm nonneg non_neg unitnorm unit_norm MinMaxNorm",
    "engine": "Layer InputSpec Input InputLayer Model Sequential Network get_source_inputs",
    "engine.base_layer": "Layer InputSpec Node",
    "engine.input_layer": "Input InputLayer",
    "engine.network": "Network",
    "engine.saving": "load_model save_model model_from_json model_from_config",
    "engine.sequential": "Sequential",
    "engine.topology": "Layer InputSpec Container Network Node Input get_source_inputs",
    "engine.training": "Model",
    "initializers": "glorot_uniform he_normal normal uniform zero one Initializer VarianceScaling",
    "layers": "MaxPool2D AvgPool1D GlobalAvgPool2D GlobalMaxPool1D Convolution2D Deconvolution2D "
    "Deconv2D SeparableConvolution2D AtrousConvolution2D Recurrent Layer InputSpec deserialize",
    "layers.advanced_activations": "LeakyReLU PReLU ELU ThresholdedReLU Softmax",
    "layers.convolutional": "Convolution1D Convolution2D Convolution3D MaxPooling2D MaxPool2D "
    "AveragePooling2D ZeroPadding2D UpSampling2D Deconvolution3D",
    "layers.convolutional_recurrent": "ConvLSTM2D",
    "layers.core": "Dense Dropout Activation Flatten Reshape Lambda RepeatVector Masking",
    "layers.cudnn_recurrent": "CuDNNLSTM CuDNNGRU",
    "layers.embeddings": "Embedding",
    "layers.merge": "_Merge add concatenate Concatenate dot multiply Average",
    "layers.noise": "GaussianNoise GaussianDropout AlphaDropout",
    "layers.normalization": "BatchNormalization",
    "layers.pooling": "MaxPool3D GlobalAvgPool1D GlobalMaxPooling2D",
    "layers.recurrent": "LSTM GRU SimpleRNN LSTMCell RNN Recurrent StackedRNNCells",
    "layers.wrappers": "TimeDistributed Bidirectional Wrapper",
    "legacy": "interfaces",
    "legacy.interfaces": "legacy_get_updates_support legacy_conv2d_support legacy_dense_support "
    "legacy_add_weight_support legacy_recurrent_support legacy_cropping2d_support",
    "models": "Model Sequential Input load_model model_from_json model_from_yaml clone_model",
    "objectives": "mean_squared_error categorical_crossentropy mse get",
    "optimizers": "SGD Adam Optimizer TFOptimizer get serialize deserialize",
    "preprocessing.image": "Iterator NumpyArrayIterator DirectoryIterator apply_transform "
    "transform_matrix_offset_center flip_axis random_rotation list_pictures img_to_array",
    "preprocessing.sequence": "pad_sequences skipgrams make_sampling_table TimeseriesGenerator",
    "preprocessing.text": "Tokenizer one_hot hashing_trick tokenizer_from_json",
    "utils": "to_categorical np_utils generic_utils training_utils Progbar Sequence plot_model "
    "serialize_keras_object deserialize_keras_object convert_all_kernels_in_model",
    "utils.conv_utils": "convert_kernel conv_output_length normalize_tuple deconv_length",
    "utils.data_utils": "get_file Sequence OrderedEnqueuer GeneratorEnqueuer validate_file",
    "utils.generic_utils": "Progbar get_custom_objects serialize_keras_object has_arg to_list "
    "deserialize_keras_object unpack_singleton slice_arrays custom_object_scope",
    "utils.io_utils": "HDF5Matrix",
    "utils.layer_utils": "count_params print_summary convert_all_kernels_in_model",
    "utils.multi_gpu_utils": "multi_gpu_model",
    "utils.np_utils": "to_categorical normalize",
    "utils.training_utils": "multi_gpu_model",
    "utils.vis_utils": "plot_model model_to_dot",
    "wrappers.scikit_learn": "KerasClassifier KerasRegressor",
}


@pytest.mark.parametrize("module", IMPORTS)
def test_names_are_there(module: str) -> None:
    found = importlib.import_module(f"nbkeras.core.{module}")
    for name in IMPORTS[module].split():
        assert getattr(found, name) is not None


@pytest.mark.parametrize("module", ["engine.topology", "engine.training", "backend", "layers"])
def test_a_name_that_nobody_knows(module: str) -> None:
    with pytest.raises(AttributeError, match="nowhere"):
        _ = importlib.import_module(f"nbkeras.core.{module}").nowhere
    with pytest.raises(ImportError, match="nowhere"):
        exec(f"from nbkeras.core.{module} import nowhere")


def test_from_the_package_alone_and_in_any_order() -> None:
    """Each in a process that has imported nothing else."""
    lines = [
        "import nbkeras.core.backend.tensorflow_backend as KTF; KTF.clear_session()",
        "from nbkeras.core.engine import Layer, Model",
        "from nbkeras.core.engine.training import Model",
        "from nbkeras.core.utils.training_utils import multi_gpu_model",
        "from nbkeras.core.callbacks.callbacks import EarlyStopping",
        "from nbkeras.core import objectives; objectives.mse",
        "from nbkeras import keras; keras.engine.Layer, keras.objectives.mse",
    ]
    # One process: what was imported before is dropped, TensorFlow stays.
    code = "\n".join(
        [
            "import sys",
            f"for line in {lines!r}:",
            "    exec(line, {})",
            "    for name in [n for n in sys.modules if n.partition('.')[0] == 'nbkeras']:",
            "        del sys.modules[name]",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_they_are_the_same_classes() -> None:
    layers = keras.layers
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.GlobalAvgPool3D is layers.GlobalAveragePooling3D
    assert layers.convolutional.Convolution2D is layers.Conv2D
    assert layers.Deconvolution3D is layers.Conv3DTranspose
    assert keras.engine.Model is keras.models.Model
    assert keras.engine.base_layer.Layer is layers.Layer
    assert keras.objectives.mse is keras.losses.mse


def test_the_example_of_the_manuals_older_half() -> None:
    with pytest.warns(DeprecationWarning, match="Conv2D"):
        layer = keras.layers.Convolution2D(64, 3, 3, border_mode="same", input_shape=(8, 8, 3))
    model = keras.models.Sequential([layer])
    assert model.output_shape == (None, 8, 8, 64)
    with pytest.warns(DeprecationWarning, match="dilation_rate"):
        wide = keras.layers.AtrousConvolution2D(4, 3, 3, atrous_rate=(2, 2))
    assert wide.dilation_rate == (2, 2)


def test_a_merge_layer_of_ones_own() -> None:
    class RandomWeightedAverage(keras.layers.merge._Merge):
        """As in programs for Wasserstein GANs."""

        def _merge_function(self, inputs):
            weights = K.random_uniform((3, 1))
            return weights * inputs[0] + (1 - weights) * inputs[1]

    a, b = keras.layers.Input((2,)), keras.layers.Input((2,))
    model = keras.models.Model([a, b], RandomWeightedAverage()([a, b]))
    got = model.predict([np.zeros((3, 2)), np.ones((3, 2))])
    np.testing.assert_array_equal(got[:, 0], got[:, 1])
    assert len(set(got[:, 0].tolist())) == 3
    assert ((got > 0) & (got < 1)).all()


def test_the_order_of_axes() -> None:
    try:
        K.set_image_dim_ordering("th")
        assert (K.image_dim_ordering(), K.image_data_format()) == ("th", "channels_first")
        with pytest.raises(ValueError, match="dim_ordering is 'tf'"):
            K.set_image_dim_ordering("channels_last")
        assert K.image_data_format() == "channels_first"
    finally:
        K.set_image_dim_ordering("tf")
    assert K.image_data_format() == "channels_last"


def test_inner_functions_of_the_backend() -> None:
    from nbkeras.core.backend import tensorflow_backend as inner

    tensor = inner._to_tensor(K.epsilon(), K.tf.float32)
    assert (tensor.dtype, float(tensor)) == (K.tf.float32, pytest.approx(K.epsilon()))
    assert inner._to_tensor(K.constant([1.0]), "float64").dtype == K.tf.float64
    assert isinstance(inner._get_available_gpus(), list)
    with pytest.raises(AttributeError, match="Did you mean 'softmax'"):
        _ = K.softmaxx


# ---------------------------------------------------------------- generic_utils


class Plain:
    def __init__(self, size: int = 1) -> None:
        self.size = size

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def get_config(self):
        return {"size": self.size}


def thrice(x):
    return 3 * x


def test_configurations_by_a_table_of_ones_own() -> None:
    from nbkeras.core.utils import deserialize_keras_object, serialize_keras_object

    saved = serialize_keras_object(Plain(7))
    assert saved == {"class_name": "Plain", "config": {"size": 7}}
    assert deserialize_keras_object(saved, globals()).size == 7
    assert deserialize_keras_object(saved, custom_objects={"Plain": Plain}).size == 7
    assert deserialize_keras_object("thrice", globals()) is thrice
    assert deserialize_keras_object(thrice, globals()) is thrice
    assert isinstance(deserialize_keras_object("Plain", globals()), Plain)
    with keras.utils.CustomObjectScope({"Plain": Plain}):
        assert deserialize_keras_object(saved).size == 7


@pytest.mark.parametrize(
    "hostile",
    [
        "importlib",
        "IMPORTS",
        {"class_name": "subprocess", "config": {}},
        {"class_name": "thrice", "config": {"x": 1}},
        {"class_name": "__builtins__", "config": {}},
        {"class_name": ["Plain"], "config": {}},
        {"class_name": "Plain", "config": [1]},
        {},
        3,
    ],
)
def test_names_reach_classes_and_functions_only(hostile) -> None:
    with pytest.raises(ValueError, match=r"[Tt]hing"):
        keras.utils.deserialize_keras_object(hostile, globals(), printable_module_name="thing")


def test_arguments_by_name() -> None:
    from nbkeras.core.utils.generic_utils import has_arg

    def function(a, /, b, *c, d=1, **e):
        return a, b, c, d, e

    found = {name: has_arg(function, name) for name in "abcdef"}
    assert found == dict(zip("abcdef", [False, True, False, True, False, False], strict=True))
    assert has_arg(function, "f", accept_all=True)
    assert has_arg(keras.layers.Dense, "units")


def test_rows_of_arrays() -> None:
    from nbkeras.core.utils.generic_utils import slice_arrays

    x = np.arange(6).reshape(3, 2)
    np.testing.assert_array_equal(slice_arrays(x, 1), x[1:])
    rows = slice_arrays([x, None], np.array([2, 0]))
    np.testing.assert_array_equal(rows[0], x[[2, 0]])
    assert rows[1] is None
    assert slice_arrays(None, 1) is None


# ---------------------------------------------------------------- networks of one's own


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        (None, {"require_flatten": True}, (224, 224, 3)),
        (None, {"include_top": True}, (224, 224, 3)),
        (None, {"require_flatten": False}, (None, None, 3)),
        ((48, 64, 1), {"require_flatten": False}, (48, 64, 1)),
        ((None, None, 4), {"require_flatten": False}, (None, None, 4)),
        ((48, 48), {}, "three sizes"),
        ((16, 48, 3), {}, "at least 32"),
        ((None, 48, 3), {"require_flatten": True}, "known whole"),
        ((48, 48, 3), {"require_flatten": True, "weights": "imagenet"}, "published weights"),
        ((48, 48, 1), {"require_flatten": False, "weights": "imagenet"}, "published weights"),
    ],
)
def test_the_input_shape_of_a_network(shape, options, expected) -> None:
    from nbkeras.core.applications.imagenet_utils import _obtain_input_shape as obtain

    for data_format in ("channels_last", "channels_first"):
        first = data_format == "channels_first"

        def laid(s, first=first):
            return (s[2], *s[:2]) if first and isinstance(s, tuple) and len(s) == 3 else s

        if isinstance(expected, str):
            with pytest.raises(ValueError, match=expected):
                obtain(laid(shape), 224, 32, data_format, **options)
        else:
            assert obtain(laid(shape), 224, 32, data_format, **options) == laid(expected)


@pytest.mark.parametrize(
    ("layer", "instead"),
    [
        (
            lambda **k: keras.layers.SeparableConv2D(3, 3, **k),
            "depthwise_initializer=..., pointwise_",
        ),
        (
            lambda **k: keras.layers.SeparableConv1D(3, 3, **k),
            "depthwise_initializer=..., pointwise_",
        ),
        (lambda **k: keras.layers.DepthwiseConv2D(3, **k), "depthwise_initializer=..."),
    ],
)
def test_arguments_of_a_kernel_that_there_is_not(layer, instead) -> None:
    with pytest.warns(UserWarning, match=instead):
        made = layer(kernel_initializer="he_normal")
    config = made.get_config()
    assert config.pop("kernel_initializer", None) is None
    assert config == {**layer().get_config(), "name": made.name}
