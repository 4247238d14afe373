/* An opinion, structured as the published studies count them (M16): the change of the diagnosis and
 * the change of the treatment are two questions, never one "changed".
 *
 * The clinician signs all of it as a statement. So the signature covers these fields and the
 * federation, the case (scope), the institution, the certificate and the time: statement.h. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_OPINION_H
#define CONSILIUM_PROTOCOL_CONTENTS_OPINION_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"

/* Every opinion contains this sentence; it is displayed translated, and never left out. */
#define OPINION_SENTENCE "advice; the treating clinician keeps the responsibility"

#define OPINION_DIAGNOSIS_LIST(X)                                                                  \
    X(OPINION_DIAGNOSIS_CONFIRMED, "confirmed")                                                    \
    X(OPINION_DIAGNOSIS_CLARIFIED, "clarified")                                                    \
    X(OPINION_DIAGNOSIS_CHANGED, "changed")
enum opinion_diagnosis { OPINION_DIAGNOSIS_NONE, OPINION_DIAGNOSIS_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes opinion_diagnoses;

#define OPINION_TREATMENT_LIST(X)                                                                  \
    X(OPINION_TREATMENT_SAME, "same")                                                              \
    X(OPINION_TREATMENT_MODIFIED, "modified")                                                      \
    X(OPINION_TREATMENT_CHANGED, "changed")
enum opinion_treatment { OPINION_TREATMENT_NONE, OPINION_TREATMENT_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes opinion_treatments;

#define OPINION_WHY_LIST(X)                                                                        \
    X(OPINION_LESS_INVASIVE, "less-invasive")                                                      \
    X(OPINION_FEWER_SIDE_EFFECTS, "fewer-side-effects")                                            \
    X(OPINION_MORE_TARGETED, "more-targeted")                                                      \
    X(OPINION_WHY_OTHER, "other")
enum opinion_why { OPINION_WHY_NONE, OPINION_WHY_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes opinion_whys;

/* The four grades of certainty that clinicians use (GRADE). */
#define OPINION_CONFIDENCE_LIST(X)                                                                 \
    X(OPINION_CONFIDENCE_VERY_LOW, "very-low")                                                     \
    X(OPINION_CONFIDENCE_LOW, "low")                                                               \
    X(OPINION_CONFIDENCE_MODERATE, "moderate")                                                     \
    X(OPINION_CONFIDENCE_HIGH, "high")
enum opinion_confidence { OPINION_CONFIDENCE_NONE, OPINION_CONFIDENCE_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes opinion_confidences;

struct opinion_alternative {
    struct bytes what;
    enum opinion_why why;
    struct bytes remark; /* optional */
};

/* The newest record of the institution's own federation stream when the opinion was signed. It
 * determines which certificates and revocations apply. */
struct opinion_stream_head {
    uint64_t generation;
    uint64_t sequence;
    struct record_id record_id;
};

struct opinion {
    struct record_id announcement; /* the ANNOUNCEMENT or the DIRECTED mail that it answers */
    struct opinion_stream_head stream_head;
    struct head_id roster_head;
    struct hash manifest_root; /* case_file_root of the case file as this clinician saw it */
    struct item_id items_opened[ITEM_COUNT_MAX]; /* by this clinician; ascending, each once */
    size_t item_opened_count;
    struct bytes sentence; /* OPINION_SENTENCE */
    struct bytes text;
    struct bytes language; /* of the text */

    /* optional from here on */
    enum opinion_diagnosis diagnosis;
    struct bytes diagnosis_text;
    enum opinion_treatment treatment;
    struct bytes treatment_text;
    struct opinion_alternative alternatives[ALTERNATIVE_COUNT_MAX];
    size_t alternative_count;
    enum opinion_confidence confidence;
    struct bytes references[REFERENCE_COUNT_MAX];
    size_t reference_count;
    struct bytes trials[REFERENCE_COUNT_MAX];
    size_t trial_count;
    struct record_id replaces; /* an earlier opinion of the same institution */
};

/* ERR_MALFORMED too when the sentence is another one; ERR_NOT_CANONICAL when items are not in
 * ascending order. */
CONTENT_DECLARE(opinion, struct opinion);

#endif
