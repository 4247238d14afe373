#include "protocol/state/clinicians.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/record/kind.h"

size_t clinicians_memory_size(uint32_t count_max)
{
    return count_max * sizeof(struct clinician);
}

void clinicians_init(struct clinicians *clinicians, void *memory, uint32_t count_max)
{
    clinicians->all = memory;
    clinicians->mask = count_max - 1;
    clinicians->count = 0;
}

/* A cert_id is a hash, so its first bytes spread well enough. */
static struct clinician *clinicians_place(const struct clinicians *clinicians,
                                          const struct cert_id *cert_id)
{
    uint32_t place;
    memcpy(&place, cert_id->bytes, sizeof place);
    place &= clinicians->mask;
    while (!ID_IS_ZERO(clinicians->all[place].cert_id) &&
           !ID_EQUAL(clinicians->all[place].cert_id, *cert_id))
        place = (place + 1) & clinicians->mask;
    return &clinicians->all[place];
}

/* (T-20) No institution fills the table: each has a sixteenth of it. */
static bool clinicians_has_room(const struct clinicians *clinicians, const struct node_id *node)
{
    uint32_t share = (clinicians->mask + 1) / CLINICIAN_SHARE_PART, count = 0;
    if (clinicians->count >= (clinicians->mask + 1) / 4 * 3)
        return false;
    if (clinicians->count < share)
        return true;
    for (uint32_t i = 0; i <= clinicians->mask; i++) {
        const struct clinician *one = &clinicians->all[i];
        count += !ID_IS_ZERO(one->cert_id) && ID_EQUAL(one->node, *node) ? 1 : 0;
    }
    return count < share;
}

static err clinicians_certify(struct clinicians *clinicians, const struct record_header *header,
                              const struct sign_key *key, struct bytes content)
{
    struct certificate certificate;
    const struct node_id *node = &header->stream.writer;
    err failure = certificate_read(content, &certificate);
    if (failure == OK)
        failure = certificate_check(&certificate, &header->federation, node, key);
    if (failure != OK)
        return failure;
    struct clinician *place = clinicians_place(clinicians, &certificate.cert_id);
    if (!ID_IS_ZERO(place->cert_id))
        return OK;
    if (!clinicians_has_room(clinicians, node))
        return ERR_FULL;
    clinicians->count++;
    *place = (struct clinician){
        .cert_id = certificate.cert_id,
        .node = *node,
        .key = certificate.request.clinician_key,
        .valid_from = certificate.issue.valid_from,
        .valid_until = certificate.issue.valid_until,
        .recorded = {header->stream.generation, header->sequence},
    };
    return OK;
}

static err clinicians_revoke(struct clinicians *clinicians, const struct record_header *header,
                             struct bytes content)
{
    struct certificate_revocation revocation;
    err failure = certificate_revocation_read(content, &revocation);
    if (failure != OK)
        return failure;
    struct clinician *place = clinicians_place(clinicians, &revocation.cert_id);
    if (ID_IS_ZERO(place->cert_id) || !ID_EQUAL(place->node, header->stream.writer))
        return ERR_NOT_FOUND;
    place->is_revoked = true;
    place->revoked_from = (struct certificate_position){revocation.generation, revocation.sequence};
    return OK;
}

err clinicians_take(struct clinicians *clinicians, const struct record_header *header,
                    const struct sign_key *key, uint16_t kind, struct bytes content)
{
    if (kind == KIND_CERTIFICATE)
        return clinicians_certify(clinicians, header, key, content);
    if (kind == KIND_REVOCATION)
        return clinicians_revoke(clinicians, header, content);
    return OK;
}

const struct clinician *clinicians_find(const struct clinicians *clinicians,
                                        const struct cert_id *cert_id)
{
    if (ID_IS_ZERO(*cert_id))
        return NULL;
    const struct clinician *place = clinicians_place(clinicians, cert_id);
    return ID_IS_ZERO(place->cert_id) ? NULL : place;
}

err clinicians_check(const struct clinicians *clinicians, const struct cert_id *cert_id,
                     const struct node_id *node, struct wall time)
{
    const struct clinician *clinician = clinicians_find(clinicians, cert_id);
    if (clinician == NULL)
        return ERR_NOT_FOUND;
    if (!ID_EQUAL(clinician->node, *node))
        return ERR_UNKNOWN_MEMBER;
    if (time.ms < clinician->valid_from.ms)
        return ERR_FUTURE;
    if (time.ms >= clinician->valid_until.ms)
        return ERR_EXPIRED;
    return clinician->is_revoked ? ERR_NOT_ENTITLED : OK;
}

err clinicians_check_statement(const struct clinicians *clinicians,
                               const struct record_header *header,
                               const struct statement *statement)
{
    struct statement_place place = statement_place_of(header);
    if (!statement->is_signed)
        return ERR_NOT_FOUND;
    if (PLANTED(CLINICIAN_NOT_CHECKED))
        return OK;
    err failure = clinicians_check(clinicians, &statement->author.cert_id, &header->stream.writer,
                                   statement->author.time);
    if (failure != OK)
        return failure;
    const struct clinician *clinician = clinicians_find(clinicians, &statement->author.cert_id);
    return statement_verify(statement, &place, &clinician->key);
}
