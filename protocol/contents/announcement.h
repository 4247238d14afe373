/* The announcement of a case: the minimal, de-identified notice that a board sees, and that goes by
 * mail to an institution asked directly. It holds only the fields below. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_ANNOUNCEMENT_H
#define CONSILIUM_PROTOCOL_CONTENTS_ANNOUNCEMENT_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"

#define ANNOUNCEMENT_SERVICE_LIST(X)                                                               \
    X(ANNOUNCEMENT_CLINICAL_CONSULT, "clinical-consult")                                           \
    X(ANNOUNCEMENT_RADIOLOGY_READ, "radiology-read")                                               \
    X(ANNOUNCEMENT_PATHOLOGY_READ, "pathology-read")
enum announcement_service {
    ANNOUNCEMENT_SERVICE_NONE,
    ANNOUNCEMENT_SERVICE_LIST(CONTENT_CODE_ENUM)
};
extern const struct content_codes announcement_services;

/* Why the requester asks for a second opinion (M9). */
#define ANNOUNCEMENT_REASON_LIST(X)                                                                \
    X(ANNOUNCEMENT_UNCLEAR_DIAGNOSIS, "unclear-diagnosis")                                         \
    X(ANNOUNCEMENT_SERIOUS, "serious")                                                             \
    X(ANNOUNCEMENT_RARE, "rare")                                                                   \
    X(ANNOUNCEMENT_LOCAL_OPTIONS_EXHAUSTED, "local-options-exhausted")                             \
    X(ANNOUNCEMENT_RISKY_TREATMENT, "risky-treatment")                                             \
    X(ANNOUNCEMENT_REASSURANCE, "reassurance")
enum announcement_reason { ANNOUNCEMENT_REASON_NONE, ANNOUNCEMENT_REASON_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes announcement_reasons;

/* Age is given in bands. The last band is open, so that an age over 89 is never disclosed. */
#define ANNOUNCEMENT_AGE_LIST(X)                                                                   \
    X(ANNOUNCEMENT_AGE_NEWBORN, "newborn")                                                         \
    X(ANNOUNCEMENT_AGE_INFANT, "infant")                                                           \
    X(ANNOUNCEMENT_AGE_CHILD, "child")                                                             \
    X(ANNOUNCEMENT_AGE_ADOLESCENT, "adolescent")                                                   \
    X(ANNOUNCEMENT_AGE_18, "18-29")                                                                \
    X(ANNOUNCEMENT_AGE_30, "30-39")                                                                \
    X(ANNOUNCEMENT_AGE_40, "40-49")                                                                \
    X(ANNOUNCEMENT_AGE_50, "50-59")                                                                \
    X(ANNOUNCEMENT_AGE_60, "60-69")                                                                \
    X(ANNOUNCEMENT_AGE_70, "70-79")                                                                \
    X(ANNOUNCEMENT_AGE_80, "80+")
enum announcement_age { ANNOUNCEMENT_AGE_NONE, ANNOUNCEMENT_AGE_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes announcement_ages;

/* FHIR AdministrativeGender; 0 when absent. */
#define ANNOUNCEMENT_SEX_LIST(X)                                                                   \
    X(ANNOUNCEMENT_FEMALE, "female")                                                               \
    X(ANNOUNCEMENT_MALE, "male")                                                                   \
    X(ANNOUNCEMENT_SEX_OTHER, "other")
enum announcement_sex { ANNOUNCEMENT_SEX_NONE, ANNOUNCEMENT_SEX_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes announcement_sexes;

/* Independent first: only the requester reads an opinion until it is revealed (M21). */
#define ANNOUNCEMENT_MODE_LIST(X)                                                                  \
    X(ANNOUNCEMENT_INDEPENDENT_FIRST, "independent-first")                                         \
    X(ANNOUNCEMENT_OPEN, "open")
enum announcement_mode { ANNOUNCEMENT_MODE_NONE, ANNOUNCEMENT_MODE_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes announcement_modes;

struct announcement {
    struct case_id case_id;
    struct bytes specialty; /* tag of the board */
    enum announcement_service service;
    enum announcement_reason reason;
    struct bytes question;
    uint64_t wanted_count; /* opinions, 1 to PARTICIPANT_COUNT_MAX; the cap of automatic grants */
    struct wall deadline;
    struct bytes language; /* of the question */
    enum announcement_mode mode;
    enum announcement_age age; /* optional, as are all below */
    enum announcement_sex sex;
    struct bytes country;
    struct bytes fee_link; /* "https://..." */
    struct hash
        opening; /* proves that the writer speaks for the case; boards do not list it without one */
    bool is_emergency; /* never in a valid announcement: ERR_STATE, advise to call */
};

/* Reading and writing add to content_read's errors:
 *
 *   ERR_STATE      marked as an emergency: refused, with the advice to call
 *   ERR_MALFORMED  no opinion wanted, or a fee link that is not https */
CONTENT_DECLARE(announcement, struct announcement);

#endif
