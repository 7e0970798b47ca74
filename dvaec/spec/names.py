"""What may be called what: names of variables, states, features and models."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Collection

from dvaec.spec.notation_hints import spelled
from dvaec.spec.schema_order import KEYWORDS

LONGEST_NAME = 32
LONGEST_MODEL_NAME = 64

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*\Z")
_MODEL = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")

# Names that the notation or the emitted module uses for itself.
_WORDS = (
    "t T p q self cls torch nn math functional lengths mask masks noise batch frames frame time steps "
    "step Tensor Optional List Dict Tuple Any NamedTuple Module elbo encode score reconstruct "
    "generate forecast training train eval forward parameters buffers modules children named state "
    "dict device dtype to cpu cuda half double range len int float bool str list tuple set zip "
    "enumerate max min sum abs print super object type id isinstance sorted reversed property kl loss "
    "mean logvar variance sample samples given jit script F Elbo Encoded Generated Reconstruction "
    "Score Forecast ValueError RuntimeError bounded cell dim framed gate gates lag length like linear "
    "logits name nonlinear other own ratio reverse source square start value weights shape size stack "
    "cat zeros ones static lead context inferred known extended seen last begun ended begin imagine finish "
    "State Stepped Imagined flat parted attended stretched fed ElboFed net "
    "Ellipsis NoneType annotate nan inf infj ops aten fork uninitialized CONSTANTS getattr "  # of TorchScript
)
RESERVED = frozenset(_WORDS.split())

_WORDS_OF_YAML = ("true", "false", "null")

WORDS_OF_INFERENCE = (*KEYWORDS, "lookahead")

# Functions of the emitted module; only a model's name, which may hold underscores, can meet them.
_FUNCTIONS = (
    "frame_mask last_frames lstm_cell gru_cell normal_noise uniform_noise gaussian_log_density "
    "bernoulli_log_density gamma_log_density gaussian_kl standard_kl bounded_factor one_hot cholesky_factor "
    "full_gaussian_log_density full_gaussian_draw full_gaussian_kl full_gaussian_standard_kl "
    "complex_gaussian_log_density complex_gaussian_draw categorical_log_density categorical_draw "
    "categorical_kl categorical_uniform_kl gumbel_noise relaxed_draw poisson_log_density poisson_draw "
    "shaped_gamma_log_density shaped_gamma_draw log_gamma_quantile laplace_log_density laplace_draw "
    "laplace_kl laplace_standard_kl student_log_density student_draw beta_log_density beta_draw "
    "mixture_log_density mixture_mean mixture_draw elbo_fed unless_fed"
)
RESERVED_FOR_MODELS = (
    RESERVED | frozenset(WORDS_OF_INFERENCE) | frozenset(_FUNCTIONS.split()) | frozenset(dir(builtins))
)


def name_fault(name: str) -> tuple[bool, str] | None:
    """Return None for a good name, else (whether it is merely reserved, what is wrong in words)."""
    if name in WORDS_OF_INFERENCE:
        return True, f"'{name}' is a keyword of 'inference'"
    if name.lower() in _WORDS_OF_YAML:
        return True, f"'{name}' is a word of YAML, and no name to other readers of the page"
    if len(name) > LONGEST_NAME:
        return False, f"a name has at most {LONGEST_NAME} characters"
    if not _NAME.match(name):
        return False, "a name is a letter (a to z, A to Z) followed by letters and digits"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return True, f"'{name}' is a word of Python, and the name would stand in the emitted module"
    if name in RESERVED:
        return True, f"'{name}' is taken by the notation or by the emitted module"
    return None


def name_hint(name: str, taken: Collection[str], subscript: str = "") -> str | None:
    """Return how to mend a faulty name: a good one near it that is not `taken`, if there is one.

    `subscript` is what the page writes behind such a name: _t behind a state's.
    """
    if name.endswith("_t") and name_fault(name[:-2]) is None:
        return f"write {name[:-2]}; conditionals add the subscript"
    plain = "".join(c for c in spelled(name) if c.isascii() and c.isalnum()).lstrip("0123456789")
    near = [plain, *(f"{plain}{n}" for n in range(1, 10))]
    good = (one for one in near if one not in taken and name_fault(one) is None)
    if (other := next(good, None)) is None:
        return None
    return f"{'an underscore begins a subscript: write' if '_' in name else 'for example'} {other}{subscript}"


def model_name_hint(name: str) -> str | None:
    """Return a model's name near a faulty one, if there is one."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_0123456789")
    near = (plain, f"{plain}_model", f"Model_{name}")
    good = next((one for one in near if model_name_fault(one) is None), None)
    return f"for example {good}" if good else None


def model_name_fault(name: str) -> str | None:
    """Return what is wrong with the name of a model, or None."""
    if len(name) > LONGEST_MODEL_NAME:
        return f"a model's name has at most {LONGEST_MODEL_NAME} characters"
    if not _MODEL.match(name):
        return "a model's name is a letter (a to z, A to Z) and then letters, digits and underscores"
    if keyword.iskeyword(name) or name in RESERVED_FOR_MODELS:
        return f"'{name}' is taken: the name becomes a class of the emitted module"
    return None
