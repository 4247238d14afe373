#include "protocol/contents/announcement.h"

#include <string.h>

CONTENT_CODES(announcement_services, ANNOUNCEMENT_SERVICE_LIST);
CONTENT_CODES(announcement_reasons, ANNOUNCEMENT_REASON_LIST);
CONTENT_CODES(announcement_ages, ANNOUNCEMENT_AGE_LIST);
CONTENT_CODES(announcement_sexes, ANNOUNCEMENT_SEX_LIST);
CONTENT_CODES(announcement_modes, ANNOUNCEMENT_MODE_LIST);

/* C-10: an announcement holds these fields and no others that this version interprets. */
#define FIELD(kind, ...) CONTENT_A_##kind(struct announcement, __VA_ARGS__)
static const struct content_field announcement_fields[] = {
    FIELD(FIXED, 1, case_id, CONTENT_NEEDED),
    FIELD(TAG, 2, specialty, CONTENT_NEEDED),
    FIELD(CODE, 3, service, CONTENT_NEEDED, announcement_services),
    FIELD(CODE, 4, reason, CONTENT_NEEDED, announcement_reasons),
    FIELD(TEXT, 5, question, CONTENT_NEEDED, QUESTION_SIZE_MAX),
    FIELD(UINT, 6, wanted_count, CONTENT_NEEDED, PARTICIPANT_COUNT_MAX),
    FIELD(TIME, 7, deadline, CONTENT_NEEDED),
    FIELD(LANGUAGE, 8, language, CONTENT_NEEDED),
    FIELD(CODE, 9, mode, CONTENT_NEEDED, announcement_modes),
    FIELD(CODE, 10, age, CONTENT_OPTIONAL, announcement_ages),
    FIELD(CODE, 11, sex, CONTENT_OPTIONAL, announcement_sexes),
    FIELD(COUNTRY, 12, country, CONTENT_OPTIONAL),
    FIELD(LINE, 13, fee_link, CONTENT_OPTIONAL, FEE_LINK_SIZE_MAX),
    FIELD(BOOL, 14, is_emergency, CONTENT_OPTIONAL),
    FIELD(FIXED, 15, opening, CONTENT_OPTIONAL),
};
#undef FIELD

static bool is_https(struct bytes link)
{
    static const char scheme[] = "https://";
    size_t size = sizeof scheme - 1;
    if (link.size <= size || memcmp(link.data, scheme, size) != 0)
        return false;
    for (size_t i = size; i < link.size; i++)
        if (link.data[i] <= ' ' || link.data[i] >= 0x7f)
            return false;
    return true;
}

/* C-11: not for emergencies; this check comes before all others. */
static err announcement_check(const void *value)
{
    const struct announcement *announcement = value;
    if (announcement->is_emergency)
        return ERR_STATE;
    if (announcement->wanted_count == 0)
        return ERR_MALFORMED;
    if (announcement->fee_link.size > 0 && !is_https(announcement->fee_link))
        return ERR_MALFORMED;
    return OK;
}

CONTENT_TABLE(announcement_table, "announcement", struct announcement, announcement_fields,
              announcement_check);
CONTENT_CODEC(announcement, struct announcement)
