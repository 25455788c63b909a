"""The closed table of rules, by code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy_engine.lint.rule import LintRule
from policy_engine.lint.rules.pe101_impossible_condition import RULE as PE101
from policy_engine.lint.rules.pe102_constant_condition import RULE as PE102
from policy_engine.lint.rules.pe103_constant_comparison import RULE as PE103
from policy_engine.lint.rules.pe104_redundant_clause import RULE as PE104
from policy_engine.lint.rules.pe105_shadowed_entry import RULE as PE105
from policy_engine.lint.rules.pe106_shadowed_rule import RULE as PE106
from policy_engine.lint.rules.pe107_contradictory_arguments import RULE as PE107
from policy_engine.lint.rules.pe108_dead_glob import RULE as PE108
from policy_engine.lint.rules.pe109_covers_denied_tools import RULE as PE109
from policy_engine.lint.rules.pe110_unknown_tool import RULE as PE110
from policy_engine.lint.rules.pe111_unknown_argument import RULE as PE111
from policy_engine.lint.rules.pe112_missing_argument import RULE as PE112
from policy_engine.lint.rules.pe113_impossible_argument import RULE as PE113
from policy_engine.lint.rules.pe114_unproducible_value import RULE as PE114
from policy_engine.lint.rules.pe115_ineffective_bound import RULE as PE115
from policy_engine.lint.rules.pe116_uncovered_tool import RULE as PE116
from policy_engine.lint.rules.pe117_unread_label import RULE as PE117
from policy_engine.lint.rules.pe118_unused_declaration import RULE as PE118
from policy_engine.lint.rules.pe119_approval_nobody_can_give import RULE as PE119
from policy_engine.lint.rules.pe121_domain_in_character_class import RULE as PE121
from policy_engine.lint.rules.pe122_redundant_term import RULE as PE122
from policy_engine.lint.rules.pe123_ascii_class import RULE as PE123
from policy_engine.lint.rules.pe124_backtracking_pattern import RULE as PE124
from policy_engine.lint.rules.pe125_expensive_pattern import RULE as PE125
from policy_engine.lint.rules.pe126_unpriced_model import RULE as PE126
from policy_engine.lint.rules.pe127_secret_in_policy import RULE as PE127
from policy_engine.lint.rules.pe128_duplicate_item import RULE as PE128
from policy_engine.lint.rules.pe129_confusable_tools import RULE as PE129
from policy_engine.lint.rules.pe130_case_sensitive_phrase import RULE as PE130
from policy_engine.lint.rules.pe131_breaks_harmless_text import RULE as PE131
from policy_engine.lint.rules.pe132_idle_constraint import RULE as PE132
from policy_engine.lint.rules.pe133_impossible_schema import RULE as PE133
from policy_engine.lint.rules.pe134_nothing_passes import RULE as PE134
from policy_engine.lint.rules.pe135_idle_check import RULE as PE135
from policy_engine.lint.rules.pe136_disguised_pattern import RULE as PE136
from policy_engine.lint.rules.pe137_changed_tool import RULE as PE137
from policy_engine.lint.rules.pe138_redundant_limit import RULE as PE138
from policy_engine.lint.rules.pe139_past_date import RULE as PE139
from policy_engine.lint.rules.pe140_mixed_time_zones import RULE as PE140
from policy_engine.lint.rules.pe141_covers_nothing import RULE as PE141
from policy_engine.lint.rules.pe142_idle_price import RULE as PE142
from policy_engine.lint.rules.pe143_unknown_role import RULE as PE143
from policy_engine.lint.rules.pe144_network_with_host_bits import RULE as PE144
from policy_engine.lint.rules.pe145_literal_placeholder import RULE as PE145
from policy_engine.lint.rules.pe146_one_good_element import RULE as PE146
from policy_engine.lint.rules.pe147_accidental_range import RULE as PE147
from policy_engine.lint.rules.pe148_constant_arithmetic import RULE as PE148
from policy_engine.lint.rules.pe149_value_against_format import RULE as PE149
from policy_engine.lint.rules.pe150_idle_alternative import RULE as PE150
from policy_engine.lint.rules.pe151_untidy_value import RULE as PE151
from policy_engine.lint.rules.pe152_price_of_nothing import RULE as PE152
from policy_engine.lint.rules.pe153_text_order import RULE as PE153
from policy_engine.lint.rules.pe154_denies_the_owner import RULE as PE154
from policy_engine.lint.rules.pe155_empty_alternative import RULE as PE155
from policy_engine.lint.rules.pe156_digits_without_gaps import RULE as PE156
from policy_engine.lint.rules.pe157_label_misses_a_tool import RULE as PE157
from policy_engine.lint.rules.pe158_limit_misses_a_tool import RULE as PE158
from policy_engine.lint.rules.pe159_gap_between_bounds import RULE as PE159
from policy_engine.lint.rules.pe160_two_spellings import RULE as PE160
from policy_engine.lint.rules.pe161_literal_repeat import RULE as PE161
from policy_engine.lint.rules.pe162_inverted_test import RULE as PE162
from policy_engine.lint.rules.pe163_message_of_another_number import RULE as PE163
from policy_engine.lint.rules.pe164_sunday_is_zero import RULE as PE164
from policy_engine.lint.rules.pe165_another_weekday import RULE as PE165
from policy_engine.lint.rules.pe166_other_side import RULE as PE166
from policy_engine.lint.rules.pe167_another_unit import RULE as PE167
from policy_engine.lint.rules.pe168_night_without_morning import RULE as PE168
from policy_engine.lint.rules.pe169_misses_a_synonym import RULE as PE169
from policy_engine.lint.rules.pe170_another_window import RULE as PE170
from policy_engine.lint.rules.pe171_another_approver import RULE as PE171
from policy_engine.lint.rules.pe172_one_call_more import RULE as PE172
from policy_engine.lint.rules.pe173_every_role import RULE as PE173
from policy_engine.lint.rules.pe174_hour_to_its_end import RULE as PE174
from policy_engine.lint.rules.pe201_default_allow import RULE as PE201
from policy_engine.lint.rules.pe202_wildcard_allow import RULE as PE202
from policy_engine.lint.rules.pe203_entry_without_args import RULE as PE203
from policy_engine.lint.rules.pe204_dangerous_free_form import RULE as PE204
from policy_engine.lint.rules.pe205_unbounded_string import RULE as PE205
from policy_engine.lint.rules.pe206_optional_guard import RULE as PE206
from policy_engine.lint.rules.pe207_unanchored_pattern import RULE as PE207
from policy_engine.lint.rules.pe208_unescaped_dot import RULE as PE208
from policy_engine.lint.rules.pe209_observe_without_end import RULE as PE209
from policy_engine.lint.rules.pe210_long_approval import RULE as PE210
from policy_engine.lint.rules.pe211_self_approval import RULE as PE211
from policy_engine.lint.rules.pe212_caller_controlled_key import RULE as PE212
from policy_engine.lint.rules.pe213_open_object import RULE as PE213
from policy_engine.lint.rules.pe214_negative_amount import RULE as PE214
from policy_engine.lint.rules.pe215_prefix_without_boundary import RULE as PE215
from policy_engine.lint.rules.pe216_suffix_without_boundary import RULE as PE216
from policy_engine.lint.rules.pe217_case_sensitive_denylist import RULE as PE217
from policy_engine.lint.rules.pe218_path_by_prefix import RULE as PE218
from policy_engine.lint.rules.pe219_contains_as_allowlist import RULE as PE219
from policy_engine.lint.rules.pe220_unread_allowed import RULE as PE220
from policy_engine.lint.rules.pe221_unbounded_amount import RULE as PE221
from policy_engine.lint.rules.pe222_any_model import RULE as PE222
from policy_engine.lint.rules.pe223_peer_approval import RULE as PE223
from policy_engine.lint.rules.pe225_pattern_accepts_anything import RULE as PE225
from policy_engine.lint.rules.pe226_public_suffix import RULE as PE226
from policy_engine.lint.rules.pe227_insecure_address import RULE as PE227
from policy_engine.lint.rules.pe228_command_by_prefix import RULE as PE228
from policy_engine.lint.rules.pe229_limit_per_session import RULE as PE229
from policy_engine.lint.rules.pe230_identity_from_argument import RULE as PE230
from policy_engine.lint.rules.pe231_several_addresses import RULE as PE231
from policy_engine.lint.rules.pe232_network_of_everybody import RULE as PE232
from policy_engine.lint.rules.pe233_address_denylist import RULE as PE233
from policy_engine.lint.rules.pe234_unbounded_list import RULE as PE234
from policy_engine.lint.rules.pe235_exact_amount import RULE as PE235
from policy_engine.lint.rules.pe236_tenant_from_argument import RULE as PE236
from policy_engine.lint.rules.pe237_free_copy import RULE as PE237
from policy_engine.lint.rules.pe238_another_host import RULE as PE238
from policy_engine.lint.rules.pe239_pattern_of_a_whole_text import RULE as PE239
from policy_engine.lint.rules.pe240_calls_for_a_sum import RULE as PE240
from policy_engine.lint.rules.pe241_free_context import RULE as PE241
from policy_engine.lint.rules.pe242_negative_count import RULE as PE242
from policy_engine.lint.rules.pe243_free_currency import RULE as PE243
from policy_engine.lint.rules.pe244_unbounded_count import RULE as PE244
from policy_engine.lint.rules.pe245_split_amount import RULE as PE245
from policy_engine.lint.rules.pe246_percent_over_hundred import RULE as PE246
from policy_engine.lint.rules.pe301_unused_suppression import RULE as PE301
from policy_engine.lint.rules.pe302_suppression_without_reason import RULE as PE302
from policy_engine.lint.rules.pe303_no_description import RULE as PE303
from policy_engine.lint.rules.pe304_no_owner import RULE as PE304
from policy_engine.lint.rules.pe305_no_message import RULE as PE305
from policy_engine.lint.rules.pe306_todo import RULE as PE306
from policy_engine.lint.rules.pe307_negated_comparison import RULE as PE307
from policy_engine.lint.rules.pe308_yoda_comparison import RULE as PE308
from policy_engine.lint.rules.pe309_boolean_comparison import RULE as PE309
from policy_engine.lint.rules.pe310_no_schema_line import RULE as PE310
from policy_engine.lint.rules.pe311_placeholder_id import RULE as PE311
from policy_engine.lint.rules.pe312_yaml_1_1_word import RULE as PE312
from policy_engine.lint.rules.pe313_past_waiver import RULE as PE313
from policy_engine.lint.rules.pe314_waiver_without_owner import RULE as PE314
from policy_engine.lint.rules.pe315_key_order import RULE as PE315
from policy_engine.lint.rules.pe316_mixed_operators import RULE as PE316

__all__ = ["ABOUT_COMMENTS", "RULES", "UNUSED"]

RULES: Final[Mapping[str, LintRule]] = MappingProxyType(
    {
        rule.code: rule
        for rule in (
            PE101,
            PE102,
            PE103,
            PE104,
            PE105,
            PE106,
            PE107,
            PE108,
            PE109,
            PE110,
            PE111,
            PE112,
            PE113,
            PE114,
            PE115,
            PE116,
            PE117,
            PE118,
            PE119,
            PE121,
            PE122,
            PE123,
            PE124,
            PE125,
            PE126,
            PE127,
            PE128,
            PE129,
            PE130,
            PE131,
            PE132,
            PE133,
            PE134,
            PE135,
            PE136,
            PE137,
            PE138,
            PE139,
            PE140,
            PE141,
            PE142,
            PE143,
            PE144,
            PE145,
            PE146,
            PE147,
            PE148,
            PE149,
            PE150,
            PE151,
            PE152,
            PE153,
            PE154,
            PE155,
            PE156,
            PE157,
            PE158,
            PE159,
            PE160,
            PE161,
            PE162,
            PE163,
            PE164,
            PE165,
            PE166,
            PE167,
            PE168,
            PE169,
            PE170,
            PE171,
            PE172,
            PE173,
            PE174,
            PE201,
            PE202,
            PE203,
            PE204,
            PE205,
            PE206,
            PE207,
            PE208,
            PE209,
            PE210,
            PE211,
            PE212,
            PE213,
            PE214,
            PE215,
            PE216,
            PE217,
            PE218,
            PE219,
            PE220,
            PE221,
            PE222,
            PE223,
            PE225,
            PE226,
            PE227,
            PE228,
            PE229,
            PE230,
            PE231,
            PE232,
            PE233,
            PE234,
            PE235,
            PE236,
            PE237,
            PE238,
            PE239,
            PE240,
            PE241,
            PE242,
            PE243,
            PE244,
            PE245,
            PE246,
            PE301,
            PE302,
            PE303,
            PE304,
            PE305,
            PE306,
            PE307,
            PE308,
            PE309,
            PE310,
            PE311,
            PE312,
            PE313,
            PE314,
            PE315,
            PE316,
        )
    }
)
"""Code -> rule, in the order of the codes."""

UNUSED: Final = PE301
"""The rule about comments that silence nothing: the linter itself knows which."""

ABOUT_COMMENTS: Final = frozenset({PE301.code, PE302.code, PE313.code, PE314.code})
"""Codes of what is found about comments, which no comment silences."""
