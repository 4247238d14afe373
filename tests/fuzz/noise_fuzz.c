/* Neither a handshake message nor a sealed one of a stranger opens or does harm: the input is each
 * of them in turn. The one valid message, the seed, opens and is answered. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keys(uint8_t initiator[KEY_SIZE], uint8_t responder[KEY_SIZE])
{
    memset(initiator, 1, KEY_SIZE);
    memset(responder, 2, KEY_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t payload[1 << 16];
    uint8_t secret[2][KEY_SIZE], ephemeral[KEY_SIZE];
    struct transport_key public[2];
    struct noise_handshake handshake;
    struct bytes input = {data, size};
    keys(secret[0], secret[1]);
    memset(ephemeral, 3, sizeof ephemeral);
    for (int i = 0; i < 2; i++)
        noise_public(secret[i], &public[i]);
    for (int role = 0; role < 2; role++) {
        struct buffer read = buffer_over(payload, sizeof payload);
        struct buffer written = buffer_over(payload, sizeof payload);
        noise_begin(&handshake, role == 0 ? NOISE_INITIATOR : NOISE_RESPONDER, BYTES_NONE,
                    secret[role], &public[1 - role]);
        if (role == 0 && noise_write(&handshake, ephemeral, BYTES_NONE, &written) != OK)
            abort();
        if (noise_read(&handshake, input, &read) != OK)
            continue;
        struct noise_session session;
        written = buffer_over(payload, sizeof payload);
        if (role == 1 && noise_write(&handshake, ephemeral, BYTES_NONE, &written) != OK)
            abort();
        noise_split(&handshake, &session);
    }
    struct noise_cipher cipher = {.nonce = 0};
    struct buffer plain = buffer_over(payload, sizeof payload);
    memcpy(cipher.key, secret[0], KEY_SIZE);
    if (noise_open(&cipher, BYTES_NONE, input, &plain) != OK)
        assert(cipher.nonce == 0 && plain.size == 0);
    return 0;
}
