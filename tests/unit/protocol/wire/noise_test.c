/* Noise KK gives the published bytes, and refuses every message that is not the next one.
 *
 * The vectors are those of Debian's golang-github-flynn-noise-dev, read where that package puts
 * them; without the package the test fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/wire/noise.h"

#ifndef NOISE_VECTORS
#error "NOISE_VECTORS must name the published vectors; tests/CMakeLists.txt sets it"
#endif

enum { VALUE_MAX = 256, MESSAGE_MAX = 4 };

struct value {
    uint8_t data[VALUE_MAX];
    size_t size;
};

struct vector {
    struct value init_static, resp_static, init_ephemeral, resp_ephemeral, prologue;
    struct value payload[MESSAGE_MAX], ciphertext[MESSAGE_MAX];
};

static struct bytes value_bytes(const struct value *value)
{
    return (struct bytes){value->data, value->size};
}

static void value_read(struct value *value, const char *hex)
{
    size_t size = strlen(hex) / 2;
    assert_true(size <= VALUE_MAX);
    assert_int_equal(ids_from_hex(hex, value->data, size), OK);
    value->size = size;
}

static struct value *vector_field(struct vector *vector, const char *name)
{
    unsigned index;
    char what[16];
    if (strcmp(name, "init_static") == 0)
        return &vector->init_static;
    if (strcmp(name, "resp_static") == 0)
        return &vector->resp_static;
    if (strcmp(name, "gen_init_ephemeral") == 0)
        return &vector->init_ephemeral;
    if (strcmp(name, "gen_resp_ephemeral") == 0)
        return &vector->resp_ephemeral;
    if (strcmp(name, "prologue") == 0)
        return &vector->prologue;
    if (sscanf(name, "msg_%u_%15s", &index, what) == 2 && index < MESSAGE_MAX)
        return strcmp(what, "payload") == 0 ? &vector->payload[index] : &vector->ciphertext[index];
    fail_msg("a field of the vectors that this test does not know: %s", name);
    return NULL;
}

/* Reads the next vector of our handshake; false at the end of the file. */
static bool vector_next(FILE *file, struct vector *vector)
{
    char line[2 * VALUE_MAX + 64];
    bool ours = false;
    memset(vector, 0, sizeof *vector);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *equals = strchr(line, '=');
        if (equals == NULL) {
            if (ours)
                return true;
            continue;
        }
        *equals = '\0';
        if (strcmp(line, "handshake") == 0)
            ours = strcmp(equals + 1, "Noise_KK_25519_ChaChaPoly_SHA256") == 0;
        else if (ours)
            value_read(vector_field(vector, line), equals + 1);
    }
    return ours;
}

struct pair {
    struct noise_handshake initiator, responder;
    struct noise_session from_initiator, from_responder;
};

static void pair_begin(struct pair *pair, const struct vector *vector)
{
    struct transport_key initiator, responder;
    noise_public(vector->init_static.data, &initiator);
    noise_public(vector->resp_static.data, &responder);
    noise_begin(&pair->initiator, NOISE_INITIATOR, value_bytes(&vector->prologue),
                vector->init_static.data, &responder);
    noise_begin(&pair->responder, NOISE_RESPONDER, value_bytes(&vector->prologue),
                vector->resp_static.data, &initiator);
}

static void check_handshake(struct noise_handshake *writer, struct noise_handshake *reader,
                            const struct vector *vector, unsigned index)
{
    uint8_t message_memory[VALUE_MAX], payload_memory[VALUE_MAX];
    struct buffer message = buffer_over(message_memory, sizeof message_memory);
    struct buffer payload = buffer_over(payload_memory, sizeof payload_memory);
    const uint8_t *secret = index == 0 ? vector->init_ephemeral.data : vector->resp_ephemeral.data;
    assert_int_equal(noise_write(writer, secret, value_bytes(&vector->payload[index]), &message),
                     OK);
    assert_true(bytes_equal(buffer_bytes(&message), value_bytes(&vector->ciphertext[index])));
    assert_int_equal(noise_read(reader, buffer_bytes(&message), &payload), OK);
    assert_true(bytes_equal(buffer_bytes(&payload), value_bytes(&vector->payload[index])));
}

static void check_message(struct noise_cipher *sender, struct noise_cipher *receiver,
                          const struct vector *vector, unsigned index)
{
    uint8_t sealed_memory[VALUE_MAX], plain_memory[VALUE_MAX];
    struct buffer sealed = buffer_over(sealed_memory, sizeof sealed_memory);
    struct buffer plain = buffer_over(plain_memory, sizeof plain_memory);
    assert_int_equal(noise_seal(sender, BYTES_NONE, value_bytes(&vector->payload[index]), &sealed),
                     OK);
    assert_true(bytes_equal(buffer_bytes(&sealed), value_bytes(&vector->ciphertext[index])));
    assert_int_equal(noise_open(receiver, BYTES_NONE, buffer_bytes(&sealed), &plain), OK);
    assert_true(bytes_equal(buffer_bytes(&plain), value_bytes(&vector->payload[index])));
}

static void gives_the_bytes_of_the_published_vectors(void **state)
{
    (void)state;
    FILE *file = fopen(NOISE_VECTORS, "r");
    if (file == NULL)
        fail_msg("cannot open %s: install golang-github-flynn-noise-dev", NOISE_VECTORS);
    struct vector vector;
    unsigned count = 0;
    while (vector_next(file, &vector)) {
        struct pair pair;
        pair_begin(&pair, &vector);
        check_handshake(&pair.initiator, &pair.responder, &vector, 0);
        check_handshake(&pair.responder, &pair.initiator, &vector, 1);
        noise_split(&pair.initiator, &pair.from_initiator);
        noise_split(&pair.responder, &pair.from_responder);
        assert_true(ID_EQUAL(pair.from_initiator.binding, pair.from_responder.binding));
        check_message(&pair.from_initiator.sending, &pair.from_responder.receiving, &vector, 2);
        check_message(&pair.from_responder.sending, &pair.from_initiator.receiving, &vector, 3);
        count++;
    }
    fclose(file);
    assert_int_equal(count, 4);
}

static void fixed_vector(struct vector *vector)
{
    memset(vector, 0, sizeof *vector);
    struct value *secrets[] = {&vector->init_static, &vector->resp_static, &vector->init_ephemeral,
                               &vector->resp_ephemeral};
    for (uint8_t i = 0; i < 4; i++) {
        memset(secrets[i]->data, i + 1, KEY_SIZE);
        secrets[i]->size = KEY_SIZE;
    }
}

static struct bytes first_message(struct pair *pair, const struct vector *vector, uint8_t *memory)
{
    struct buffer buffer = buffer_over(memory, VALUE_MAX);
    pair_begin(pair, vector);
    assert_int_equal(
        noise_write(&pair->initiator, vector->init_ephemeral.data, BYTES_NONE, &buffer), OK);
    return buffer_bytes(&buffer);
}

static struct bytes second_message(struct pair *pair, const struct vector *vector, uint8_t *memory)
{
    uint8_t first_memory[VALUE_MAX];
    struct buffer none = buffer_over(NULL, 0), buffer = buffer_over(memory, VALUE_MAX);
    struct bytes first = first_message(pair, vector, first_memory);
    assert_int_equal(noise_read(&pair->responder, first, &none), OK);
    assert_int_equal(
        noise_write(&pair->responder, vector->resp_ephemeral.data, BYTES_NONE, &buffer), OK);
    return buffer_bytes(&buffer);
}

static void refuses_every_bit_flip_and_truncation_of_the_handshake(void **state)
{
    (void)state;
    struct vector vector;
    fixed_vector(&vector);
    for (unsigned part = 0; part < 2; part++) {
        for (size_t bit = 0; bit < (size_t)NOISE_MESSAGE_SIZE * 8; bit++) {
            struct pair pair;
            uint8_t memory[VALUE_MAX];
            struct buffer none = buffer_over(NULL, 0);
            struct bytes message = part == 0 ? first_message(&pair, &vector, memory)
                                             : second_message(&pair, &vector, memory);
            memory[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            assert_int_equal(
                noise_read(part == 0 ? &pair.responder : &pair.initiator, message, &none),
                ERR_BAD_KEY);
        }
        for (size_t size = 0; size < NOISE_MESSAGE_SIZE; size++) {
            struct pair pair;
            uint8_t memory[VALUE_MAX];
            struct buffer none = buffer_over(NULL, 0);
            struct bytes message = part == 0 ? first_message(&pair, &vector, memory)
                                             : second_message(&pair, &vector, memory);
            message.size = size;
            assert_int_equal(
                noise_read(part == 0 ? &pair.responder : &pair.initiator, message, &none),
                ERR_TRUNCATED);
        }
    }
}

static void session_between(struct noise_session *initiator, struct noise_session *responder)
{
    struct vector vector;
    struct pair pair;
    uint8_t memory[VALUE_MAX];
    struct buffer none = buffer_over(NULL, 0);
    fixed_vector(&vector);
    struct bytes second = second_message(&pair, &vector, memory);
    assert_int_equal(noise_read(&pair.initiator, second, &none), OK);
    noise_split(&pair.initiator, initiator);
    noise_split(&pair.responder, responder);
}

static void refuses_every_bit_flip_and_truncation_of_a_message(void **state)
{
    (void)state;
    struct noise_session initiator, responder;
    uint8_t memory[64], plain_memory[64];
    struct bytes text = bytes_of_text("a frame"), context = bytes_of_text("kind");
    session_between(&initiator, &responder);
    struct buffer sealed = buffer_over(memory, sizeof memory);
    assert_int_equal(noise_seal(&initiator.sending, context, text, &sealed), OK);
    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        struct noise_cipher receiving = responder.receiving;
        struct buffer plain = buffer_over(plain_memory, sizeof plain_memory);
        memory[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(noise_open(&receiving, context, buffer_bytes(&sealed), &plain),
                         ERR_BAD_KEY);
        assert_int_equal(plain.size, 0);
        memory[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t size = 0; size < sealed.size; size++) {
        struct noise_cipher receiving = responder.receiving;
        struct buffer plain = buffer_over(plain_memory, sizeof plain_memory);
        assert_int_equal(noise_open(&receiving, context, (struct bytes){memory, size}, &plain),
                         size < NOISE_TAG_SIZE ? ERR_TRUNCATED : ERR_BAD_KEY);
    }
    struct buffer plain = buffer_over(plain_memory, sizeof plain_memory);
    assert_int_equal(noise_open(&responder.receiving, BYTES_NONE, buffer_bytes(&sealed), &plain),
                     ERR_BAD_KEY);
    assert_int_equal(noise_open(&responder.receiving, context, buffer_bytes(&sealed), &plain), OK);
    assert_true(bytes_equal(buffer_bytes(&plain), text));
}

static void refuses_a_replayed_a_skipped_and_a_reflected_message(void **state)
{
    (void)state;
    struct noise_session initiator, responder;
    uint8_t memory[3][64], plain_memory[64];
    struct bytes text = bytes_of_text("a frame");
    struct buffer sealed[3], plain = buffer_over(plain_memory, sizeof plain_memory);
    session_between(&initiator, &responder);
    for (size_t i = 0; i < 3; i++) {
        sealed[i] = buffer_over(memory[i], sizeof memory[i]);
        assert_int_equal(noise_seal(&initiator.sending, BYTES_NONE, text, &sealed[i]), OK);
    }
    struct noise_cipher *receiving = &responder.receiving;
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed[0]), &plain), OK);
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed[0]), &plain),
                     ERR_BAD_KEY);
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed[2]), &plain),
                     ERR_BAD_KEY);
    assert_int_equal(noise_open(&initiator.receiving, BYTES_NONE, buffer_bytes(&sealed[0]), &plain),
                     ERR_BAD_KEY);
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed[1]), &plain), OK);
}

static void refuses_a_key_of_small_order(void **state)
{
    (void)state;
    struct vector vector;
    struct pair pair;
    uint8_t memory[VALUE_MAX], zeros[VALUE_MAX] = {0};
    struct transport_key zero_key = {{0}};
    struct buffer buffer = buffer_over(memory, sizeof memory), none = buffer_over(NULL, 0);
    fixed_vector(&vector);
    noise_begin(&pair.initiator, NOISE_INITIATOR, BYTES_NONE, vector.init_static.data, &zero_key);
    assert_int_equal(noise_write(&pair.initiator, vector.init_ephemeral.data, BYTES_NONE, &buffer),
                     ERR_BAD_KEY);
    pair_begin(&pair, &vector);
    assert_int_equal(noise_read(&pair.responder, (struct bytes){zeros, NOISE_MESSAGE_SIZE}, &none),
                     ERR_BAD_KEY);
}

static void another_prologue_or_another_peer_does_not_open(void **state)
{
    (void)state;
    struct vector vector;
    struct pair pair;
    struct transport_key stranger;
    uint8_t memory[VALUE_MAX], secret[KEY_SIZE] = {9};
    struct buffer none = buffer_over(NULL, 0);
    fixed_vector(&vector);
    struct bytes first = first_message(&pair, &vector, memory);
    struct transport_key initiator = pair.responder.remote;
    noise_begin(&pair.responder, NOISE_RESPONDER, bytes_of_text("other"), vector.resp_static.data,
                &initiator);
    assert_int_equal(noise_read(&pair.responder, first, &none), ERR_BAD_KEY);
    noise_public(secret, &stranger);
    noise_begin(&pair.responder, NOISE_RESPONDER, BYTES_NONE, vector.resp_static.data, &stranger);
    assert_int_equal(noise_read(&pair.responder, first, &none), ERR_BAD_KEY);
}

static void a_cipher_ends_at_its_message_limit(void **state)
{
    (void)state;
    struct noise_session initiator, responder;
    uint8_t memory[64], plain_memory[64];
    session_between(&initiator, &responder);
    initiator.sending.nonce = responder.receiving.nonce = NOISE_MESSAGE_COUNT_MAX - 1;
    struct buffer sealed = buffer_over(memory, sizeof memory);
    struct buffer plain = buffer_over(plain_memory, sizeof plain_memory);
    assert_int_equal(noise_seal(&initiator.sending, BYTES_NONE, BYTES_NONE, &sealed), OK);
    assert_int_equal(noise_seal(&initiator.sending, BYTES_NONE, BYTES_NONE, &sealed),
                     ERR_OVER_BUDGET);
    struct noise_cipher *receiving = &responder.receiving;
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed), &plain), OK);
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed), &plain),
                     ERR_OVER_BUDGET);
}

static void too_little_room_is_said_and_costs_no_message(void **state)
{
    (void)state;
    struct noise_session initiator, responder;
    uint8_t memory[64], plain_memory[64];
    struct bytes text = bytes_of_text("a frame");
    session_between(&initiator, &responder);
    struct buffer small = buffer_over(memory, text.size + NOISE_TAG_SIZE - 1);
    struct buffer sealed = buffer_over(memory, text.size + NOISE_TAG_SIZE);
    assert_int_equal(noise_seal(&initiator.sending, BYTES_NONE, text, &small), ERR_TOO_LARGE);
    assert_int_equal(noise_seal(&initiator.sending, BYTES_NONE, text, &sealed), OK);
    struct buffer narrow = buffer_over(plain_memory, text.size - 1);
    struct buffer plain = buffer_over(plain_memory, text.size);
    struct noise_cipher *receiving = &responder.receiving;
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed), &narrow),
                     ERR_TOO_LARGE);
    assert_int_equal(noise_open(receiving, BYTES_NONE, buffer_bytes(&sealed), &plain), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_bytes_of_the_published_vectors),
        cmocka_unit_test(refuses_every_bit_flip_and_truncation_of_the_handshake),
        cmocka_unit_test(refuses_every_bit_flip_and_truncation_of_a_message),
        cmocka_unit_test(refuses_a_replayed_a_skipped_and_a_reflected_message),
        cmocka_unit_test(refuses_a_key_of_small_order),
        cmocka_unit_test(another_prologue_or_another_peer_does_not_open),
        cmocka_unit_test(a_cipher_ends_at_its_message_limit),
        cmocka_unit_test(too_little_room_is_said_and_costs_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
