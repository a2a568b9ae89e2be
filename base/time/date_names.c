/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/date_names.h"

static const struct date_names LANGUAGES[] = {
    {
        .language = "en",
        .months = {"January", "February", "March", "April", "May", "June", "July", "August",
                   "September", "October", "November", "December"},
        .short_months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
                         "Nov", "Dec"},
        .weekdays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
        .short_weekdays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
        .half_days = {"AM", "PM"},
    },
    {
        .language = "fr",
        .months = {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août",
                   "septembre", "octobre", "novembre", "décembre"},
        .short_months = {"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.",
                         "oct.", "nov.", "déc."},
        .weekdays = {"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"},
        .short_weekdays = {"lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."},
        .half_days = {"AM", "PM"},
    },
    {
        .language = "de",
        .months = {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August",
                   "September", "Oktober", "November", "Dezember"},
        .short_months = {"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.",
                         "Okt.", "Nov.", "Dez."},
        .weekdays = {"Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag",
                     "Sonntag"},
        .short_weekdays = {"Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."},
        .half_days = {"AM", "PM"},
    },
    {
        .language = "es",
        .months = {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
                   "septiembre", "octubre", "noviembre", "diciembre"},
        .short_months = {"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct",
                         "nov", "dic"},
        .weekdays = {"lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"},
        .short_weekdays = {"lun", "mar", "mié", "jue", "vie", "sáb", "dom"},
        .half_days = {"a. m.", "p. m."},
    },
    {
        .language = "it",
        .months = {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto",
                   "settembre", "ottobre", "novembre", "dicembre"},
        .short_months = {"gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott",
                         "nov", "dic"},
        .weekdays = {"lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"},
        .short_weekdays = {"lun", "mar", "mer", "gio", "ven", "sab", "dom"},
        .half_days = {"AM", "PM"},
    },
    {
        .language = "pt",
        .months = {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto",
                   "setembro", "outubro", "novembro", "dezembro"},
        .short_months = {"jan.", "fev.", "mar.", "abr.", "mai.", "jun.", "jul.", "ago.", "set.",
                         "out.", "nov.", "dez."},
        .weekdays = {"segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira",
                     "sábado", "domingo"},
        .short_weekdays = {"seg.", "ter.", "qua.", "qui.", "sex.", "sáb.", "dom."},
        .half_days = {"AM", "PM"},
    },
    {
        .language = "nl",
        .months = {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus",
                   "september", "oktober", "november", "december"},
        .short_months = {"jan.", "feb.", "mrt.", "apr.", "mei", "jun.", "jul.", "aug.", "sep.",
                         "okt.", "nov.", "dec."},
        .weekdays = {"maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag",
                     "zondag"},
        .short_weekdays = {"ma", "di", "wo", "do", "vr", "za", "zo"},
        .half_days = {"a.m.", "p.m."},
    },
};

const struct date_names *date_names_english(void)
{
    return &LANGUAGES[0];
}

const struct date_names *date_names_find(struct str locale)
{
    struct str language = {locale.ptr, 0};
    while (language.len < locale.len && !memchr("-_.@", locale.ptr[language.len], 4))
        language.len++;
    if (str_equal_nocase(language, STR("C")) || str_equal_nocase(language, STR("POSIX")))
        return date_names_english();
    for (size_t i = 0; i < sizeof LANGUAGES / sizeof *LANGUAGES; i++) {
        if (str_equal_nocase(language, str_from(LANGUAGES[i].language)))
            return &LANGUAGES[i];
    }
    return NULL;
}
