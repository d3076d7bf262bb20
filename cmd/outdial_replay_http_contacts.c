/* Requests about contacts. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "cmd/outdial_replay_http_plan.h"

static uint64_t digits_of(struct slice phone)
{
    uint64_t digits = 0;

    for (size_t i = 0; i < phone.size; i++) {
        if (phone.data[i] >= '0' && phone.data[i] <= '9') {
            digits = 10 * digits + (uint64_t)(phone.data[i] - '0');
        }
    }
    return digits;
}

/* A pseudonym is no address of electronic mail. */
static void put_email(struct http_request *request, struct slice email)
{
    char text[64];
    int size;

    if (email.size == 0 || email.size > 32 || memchr(email.data, '@', email.size) != NULL) {
        write_text_or_null(request, email);
        return;
    }
    size = snprintf(text, sizeof(text), "%.*s@example.invalid", SLICE_ARGS(email));
    write_text(request, slice_make(text, (size_t)size));
}

static void put_value(struct http_request *request, const struct attribute_value *value)
{
    if (value->is_null) {
        write_null(request);
    } else if (value->type == ATTRIBUTE_NUMBER) {
        write_double(request, value->number);
    } else if (value->type == ATTRIBUTE_BOOLEAN) {
        write_boolean(request, value->boolean);
    } else {
        write_text(request, value->text);
    }
}

static void put_attributes(struct http_request *request, const struct contact *contact)
{
    struct arena arena;

    arena_init(&arena, 256);
    write_open(request, '{');
    for (size_t i = 0; i < contact->attribute_count; i++) {
        write_name(request, arena_text(&arena, contact->attributes[i].name));
        put_value(request, &contact->attributes[i]);
    }
    write_shut(request, '}');
    arena_deinit(&arena);
}

static void put_contact(struct http_request *request, const struct contact_patch *patch)
{
    const struct contact *value = &patch->value;

    const struct {
        uint32_t bit;
        const char *name;
        struct slice text;
    } texts[] = {
        {CONTACT_FIRST_NAME, "firstName", value->first_name},
        {CONTACT_LAST_NAME, "lastName", value->last_name},
        {CONTACT_FULL_NAME, "fullName", value->full_name},
        {CONTACT_TIMEZONE, "timezone", value->timezone},
    };

    write_open(request, '{');
    if (patch->present & CONTACT_PRIMARY_PHONE) {
        write_name(request, "primaryPhone");
        write_text(request, value->primary_phone);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (patch->present & texts[i].bit) {
            write_name(request, texts[i].name);
            write_text_or_null(request, texts[i].text);
        }
    }
    if (patch->present & CONTACT_PRIMARY_EMAIL) {
        write_name(request, "primaryEmail");
        put_email(request, value->primary_email);
    }
    if (patch->present & CONTACT_DO_NOT_CALL) {
        write_name(request, "doNotCall");
        write_boolean(request, value->do_not_call);
    }
    if (patch->present & CONTACT_NO_ATTRIBUTES) {
        write_name(request, "customAttributes");
        write_null(request);
    } else if (patch->present & CONTACT_ATTRIBUTES) {
        write_name(request, "customAttributes");
        put_attributes(request, value);
    }
    write_shut(request, '}');
}

static void note_contacts(struct http_request *request, const struct contact_patch *contacts,
                          size_t count)
{
    if (count == 0) {
        return;
    }
    request->contacts = memory_zero(count, sizeof(*request->contacts));
    request->contact_count = count;
    for (size_t i = 0; i < count; i++) {
        request->contacts[i] =
            (struct made_contact){contacts[i].value.id, digits_of(contacts[i].value.primary_phone)};
    }
}

struct http_request *plan_contact(const struct message *message)
{
    const struct contact_patch *patch = message->payload.contact;
    bool is_new = message->type == MESSAGE_CONTACT_CREATE;
    struct http_request *request = request_new(message->type, is_new ? "POST" : "PATCH");

    request_path(request, is_new ? "/api/contacts" : "/api/contacts/");
    if (is_new) {
        request_makes(request, &patch->value.id);
    } else {
        request_path_id(request, &patch->value.id);
    }
    put_contact(request, patch);
    return request;
}

struct http_request *plan_upsert(const struct contact_list *list)
{
    struct http_request *request = request_new(MESSAGE_CONTACTS_UPSERT, "POST");

    request_path(request, "/api/contacts/upsert");
    write_open(request, '{');
    write_name(request, "data");
    write_open(request, '[');
    for (size_t i = 0; i < list->count; i++) {
        put_contact(request, &list->contacts[i]);
    }
    write_shut(request, ']');
    write_shut(request, '}');
    note_contacts(request, list->contacts, list->count);
    return request;
}

/* The message has the good rows of a piece of an import; it is an import of its own. */
struct http_request *plan_import(const struct contact_import *import)
{
    struct http_request *request = request_new(MESSAGE_CONTACTS_IMPORT, "POST");

    request_path(request, "/api/contacts/import");
    if (import->has_audience) {
        request_path(request, "?audienceId=");
        request_path_id(request, &import->audience);
    }
    request->content_type = "application/x-ndjson";
    for (size_t i = 0; i < import->count; i++) {
        put_contact(request, &import->contacts[i]);
        write_shut(request, '\n');
    }
    note_contacts(request, import->contacts, import->count);
    request->is_by_phone = true;
    return request;
}
