"""The codes of this room's diagnostics, in one place; a code never changes its meaning.

DV001-DV199 belong to this room; network and derive take DV200-DV299, plan DV300-DV399. Faults of data and
of run folders have no code: they have no place on a page. `tests/bad/` holds a bad spec for each code that a
page can bring about by its text, with the exact diagnostics.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """One member per kind of fault."""

    # The text and its YAML
    FILE_UNREADABLE = "DV001"
    FILE_NOT_UTF8 = "DV002"
    FILE_TOO_LARGE = "DV003"
    YAML_SYNTAX = "DV004"
    YAML_DUPLICATE_KEY = "DV005"
    YAML_REFUSED = "DV006"
    YAML_SEVERAL_DOCUMENTS = "DV007"
    YAML_NOT_MAPPING = "DV008"
    YAML_TOO_DEEP = "DV009"
    YAML_BOOLEAN_WORD = "DV010"
    YAML_KEY = "DV011"
    OVERRIDE_FORM = "DV012"
    OVERRIDE_PATH = "DV013"
    SIZES_UNKNOWN = "DV014"
    SIZES = "DV015"

    # The shape of the page
    UNKNOWN_KEY = "DV020"
    MISSING_KEY = "DV021"
    WRONG_VALUE = "DV022"
    NOT_SUPPORTED = "DV023"
    UNQUOTED_LIST = "DV024"
    LANGUAGE_VERSION = "DV025"
    LAYER = "DV026"
    TOO_MANY = "DV027"

    # Names and notation
    NAME_FORM = "DV030"
    NAME_RESERVED = "DV031"
    NAME_TWICE = "DV032"
    NOTATION = "DV040"
    NOTATION_RELATION = "DV041"
    NOTATION_UNCLOSED = "DV042"
    WINDOW_EMPTY = "DV043"
    WINDOW_STRIDE = "DV044"
    WINDOW_BOUND = "DV045"
    HEAD_NAME = "DV046"

    # Variables
    DISTRIBUTION = "DV050"
    NO_OBSERVED = "DV051"
    LEVEL = "DV052"
    FRAMES_GIVEN = "DV053"
    FRAMES_MISSING = "DV054"

    # Conditionals
    UNDEFINED = "DV060"
    NOT_A_VARIABLE = "DV061"
    TARGET = "DV062"
    CONDITIONAL_TWICE = "DV063"
    CONDITIONAL_MISSING = "DV064"
    CONDITIONAL_OF_INPUT = "DV065"
    SELF_AT_T = "DV066"
    CYCLE = "DV067"
    FUTURE_PARENT = "DV068"
    NO_OBSERVED_DESCENDANT = "DV069"
    INFERENCE_OF_OBSERVED = "DV070"
    INFERENCE_ORDER = "DV071"
    ORDER = "DV072"
    PAST_PARENT = "DV073"
    CYCLE_OVER_TIME = "DV074"
    CYCLE_OF_LEVELS = "DV075"
    ABSOLUTE_FRAME = "DV076"
    NO_FRAME_T = "DV077"
    NUMBERED = "DV078"
    FRAME_ZERO = "DV079"

    # States, features, heads
    READ_TWICE = "DV080"
    STATE_OPEN_WINDOW = "DV081"
    STATE_SEVERAL_FRAMES = "DV082"
    OPEN_WINDOW = "DV083"
    READS_ITSELF = "DV084"
    CYCLE_DEVELOPED = "DV085"
    HEAD_PARAMETERS = "DV086"
    LEARNED = "DV087"
    BLOCK_READS = "DV088"
    LAYERS_WITHOUT_READS = "DV089"
    UNREAD = "DV090"
    AUXILIARY = "DV091"
    START = "DV092"

    # Training
    OBJECTIVE = "DV093"

    # p and q as wholes
    KEYWORD_PLACE = "DV100"
    INFERENCE_CYCLE = "DV101"
    INFERENCE_MISSING = "DV102"
    NO_DECODING = "DV103"
    FRAMES_APART = "DV104"
    CAUSAL_ANYWAY = "DV105"

    # Blocks
    BLOCK_SIZES = "DV120"
    PYTHON_NOT_ALLOWED = "DV121"
