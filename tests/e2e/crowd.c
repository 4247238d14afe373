/* e2e_crowd SOCIETY COUNT: puts that many institutions into the head that is pending there, as so
 * many requests would; the officers sign it as any other. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/society_pending.h"
#include "protocol/roster/join.h"

static bool crowd_admit(struct society *society, unsigned number)
{
    char name[64];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    struct member member;
    struct join_request request = {
        .country = {'C', 'H'}, .tag_count = 1, .tags = {bytes_of_text("oncology")}};
    randombytes_buf(request.node_id.bytes, NODE_ID_SIZE);
    crypto_sign_keypair(request.sign_key.bytes, secret);
    crypto_box_keypair(request.transport_key.bytes, secret);
    (void)snprintf(name, sizeof name, "Hospital number %u", number);
    request.name = bytes_of_text(name);
    join_member(&request, society_pending_epoch(society), &member);
    return society_pending_put_member(society, &member);
}

int main(int argc, char **argv)
{
    struct society *society = malloc(sizeof *society);
    unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (sodium_init() < 0 || society == NULL || count == 0 ||
        !society_directory_open(society, argv[1], false)) {
        free(society);
        return 2;
    }
    bool is_done = society_pending_begin(society);
    for (unsigned i = 0; is_done && i < count; i++)
        is_done = crowd_admit(society, i + 1);
    is_done = is_done && society_directory_finish(society, 400);
    society_directory_close(society);
    free(society);
    return is_done ? 0 : 1;
}
