#include "protocol/contents/opinion.h"

#include <string.h>

CONTENT_CODES(opinion_diagnoses, OPINION_DIAGNOSIS_LIST);
CONTENT_CODES(opinion_treatments, OPINION_TREATMENT_LIST);
CONTENT_CODES(opinion_whys, OPINION_WHY_LIST);
CONTENT_CODES(opinion_confidences, OPINION_CONFIDENCE_LIST);

#define FIELD(kind, ...) CONTENT_A_##kind(struct opinion_alternative, __VA_ARGS__)
static const struct content_field opinion_alternative_fields[] = {
    FIELD(LINE, 1, what, CONTENT_NEEDED, ASK_SIZE_MAX),
    FIELD(CODE, 2, why, CONTENT_NEEDED, opinion_whys),
    FIELD(LINE, 3, remark, CONTENT_OPTIONAL, ASK_SIZE_MAX),
};
#undef FIELD
static CONTENT_TABLE(opinion_alternative_table, "opinion alternative", struct opinion_alternative,
                     opinion_alternative_fields, NULL);

#define FIELD(kind, ...) CONTENT_A_##kind(struct opinion_stream_head, __VA_ARGS__)
static const struct content_field opinion_stream_head_fields[] = {
    FIELD(UINT, 1, generation, CONTENT_NEEDED, UINT32_MAX),
    FIELD(UINT, 2, sequence, CONTENT_NEEDED, UINT64_MAX),
    FIELD(FIXED, 3, record_id, CONTENT_NEEDED),
};
#undef FIELD
static CONTENT_TABLE(opinion_stream_head_table, "opinion stream head", struct opinion_stream_head,
                     opinion_stream_head_fields, NULL);

static const struct content_field opinion_item_element = CONTENT_ELEMENT_FIXED(HASH_SIZE);
static const struct content_field opinion_alternative_element =
    CONTENT_ELEMENT_MAP(&opinion_alternative_table);
static const struct content_field opinion_reference_element =
    CONTENT_ELEMENT_LINE(REFERENCE_SIZE_MAX);

#define FIELD(kind, ...) CONTENT_A_##kind(struct opinion, __VA_ARGS__)
static const struct content_field opinion_fields[] = {
    FIELD(FIXED, 1, announcement, CONTENT_NEEDED),
    FIELD(MAP, 2, stream_head, CONTENT_NEEDED, &opinion_stream_head_table),
    FIELD(FIXED, 3, roster_head, CONTENT_NEEDED),
    FIELD(FIXED, 4, manifest_root, CONTENT_NEEDED),
    FIELD(LIST, 5, items_opened, item_opened_count, CONTENT_OPTIONAL, &opinion_item_element),
    FIELD(LINE, 6, sentence, CONTENT_NEEDED, sizeof OPINION_SENTENCE - 1),
    FIELD(TEXT, 7, text, CONTENT_NEEDED, OPINION_TEXT_SIZE_MAX),
    FIELD(LANGUAGE, 8, language, CONTENT_NEEDED),
    FIELD(CODE, 9, diagnosis, CONTENT_OPTIONAL, opinion_diagnoses),
    FIELD(TEXT, 10, diagnosis_text, CONTENT_OPTIONAL, FINDING_SIZE_MAX),
    FIELD(CODE, 11, treatment, CONTENT_OPTIONAL, opinion_treatments),
    FIELD(TEXT, 12, treatment_text, CONTENT_OPTIONAL, FINDING_SIZE_MAX),
    FIELD(LIST, 13, alternatives, alternative_count, CONTENT_OPTIONAL,
          &opinion_alternative_element),
    FIELD(CODE, 14, confidence, CONTENT_OPTIONAL, opinion_confidences),
    FIELD(LIST, 15, references, reference_count, CONTENT_OPTIONAL, &opinion_reference_element),
    FIELD(LIST, 16, trials, trial_count, CONTENT_OPTIONAL, &opinion_reference_element),
    FIELD(FIXED, 17, replaces, CONTENT_OPTIONAL),
};
#undef FIELD

/* C-15: the sentence is this exact one. C-16: opened items are named once, in ascending order. */
static err opinion_check(const void *value)
{
    const struct opinion *opinion = value;
    if (opinion->item_opened_count > ITEM_COUNT_MAX)
        return ERR_TOO_LARGE;
    if (!bytes_equal(opinion->sentence, bytes_of_text(OPINION_SENTENCE)))
        return ERR_MALFORMED;
    for (size_t i = 1; i < opinion->item_opened_count; i++)
        if (memcmp(opinion->items_opened[i - 1].bytes, opinion->items_opened[i].bytes, HASH_SIZE) >=
            0)
            return ERR_NOT_CANONICAL;
    return OK;
}

CONTENT_TABLE(opinion_table, "opinion", struct opinion, opinion_fields, opinion_check);
CONTENT_CODEC(opinion, struct opinion)
