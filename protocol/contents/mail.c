#include "protocol/contents/mail.h"

#define FIELD(kind, ...) CONTENT_A_##kind(struct mail_join, __VA_ARGS__)
static const struct content_field mail_join_fields[] = {
    FIELD(FIXED, 1, case_id, CONTENT_NEEDED),
    FIELD(FIXED, 2, announcement, CONTENT_NEEDED),
    FIELD(TEXT, 3, note, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
CONTENT_TABLE(mail_join_table, "join", struct mail_join, mail_join_fields, NULL);
CONTENT_CODEC(mail_join, struct mail_join)

#define FIELD(kind, ...) CONTENT_A_##kind(struct mail_directed, __VA_ARGS__)
static const struct content_field mail_directed_fields[] = {
    FIELD(BIN, 1, announcement, CONTENT_NEEDED, STATEMENT_PADDED_SIZE_MAX),
    FIELD(FIXED, 2, clinician, CONTENT_OPTIONAL),
    FIELD(FIXED, 3, opening, CONTENT_NEEDED),
};
#undef FIELD
CONTENT_TABLE(mail_directed_table, "directed request", struct mail_directed, mail_directed_fields,
              NULL);
CONTENT_CODEC(mail_directed, struct mail_directed)

#define FIELD(kind, ...) CONTENT_A_##kind(struct mail_grant_notice, __VA_ARGS__)
static const struct content_field mail_grant_notice_fields[] = {
    FIELD(FIXED, 1, case_id, CONTENT_NEEDED), FIELD(FIXED, 2, requester, CONTENT_NEEDED),
    FIELD(FIXED, 3, grant, CONTENT_NEEDED),   FIELD(BIN, 4, copy, CONTENT_NEEDED, 256),
    FIELD(FIXED, 5, opening, CONTENT_NEEDED),
};
#undef FIELD
CONTENT_TABLE(mail_grant_notice_table, "grant notice", struct mail_grant_notice,
              mail_grant_notice_fields, NULL);
CONTENT_CODEC(mail_grant_notice, struct mail_grant_notice)

#define FIELD(kind, ...) CONTENT_A_##kind(struct mail_decline, __VA_ARGS__)
static const struct content_field mail_decline_fields[] = {
    FIELD(FIXED, 1, case_id, CONTENT_NEEDED),
    FIELD(FIXED, 2, announcement, CONTENT_NEEDED),
    FIELD(CODE, 3, reason, CONTENT_NEEDED, case_record_decline_reasons),
    FIELD(TEXT, 4, text, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
CONTENT_TABLE(mail_decline_table, "mail decline", struct mail_decline, mail_decline_fields, NULL);
CONTENT_CODEC(mail_decline, struct mail_decline)
