#include "node/cli/answer.h"

#include <stdint.h>
#include <string.h>

const char *answer_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

long long answer_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

bool answer_is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool answer_equals(const json_t *object, const char *key, const char *text)
{
    return strcmp(answer_text(object, key), text) == 0;
}

const char *answer_name(const json_t *object, const char *key)
{
    return answer_text(json_object_get(object, key), "name");
}

const json_t *answer_list(const json_t *answer)
{
    const char *key;
    json_t *value;
    json_t *all = json_incref((json_t *)(uintptr_t)answer);
    const json_t *found = json_is_array(answer) ? answer : NULL;
    if (json_is_object(answer)) {
        json_object_foreach(all, key, value)
        {
            if (json_is_array(value))
                found = value;
        }
    }
    json_decref(all);
    return found;
}
