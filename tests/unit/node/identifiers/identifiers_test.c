/* What may tell who the patient is, is found in six languages; what a report is full of is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/identifiers/identifier_words.h"
#include "node/identifiers/identifiers.h"
#include "protocol/base/utf8.h"

static struct identifier_rules *rules;

static int make_rules(void **state)
{
    (void)state;
    rules = identifiers_rules_new();
    return rules == NULL;
}

static int free_rules(void **state)
{
    (void)state;
    identifiers_rules_free(rules);
    return 0;
}

/* "date 12.03.2021; person Grey": kinds and texts, in order. */
static void found_in(const char *text, char *ret_found, size_t size)
{
    static struct identifier_list list;
    size_t used = 0;
    assert_int_equal(identifiers_find(rules, bytes_of_text(text), &list), OK);
    ret_found[0] = '\0';
    for (size_t i = 0; i < list.count; i++) {
        used += (size_t)snprintf(ret_found + used, size - used, "%s%s %.*s", i == 0 ? "" : "; ",
                                 identifiers_kind_name(list.all[i].kind), (int)list.all[i].size,
                                 text + list.all[i].start);
        assert_true(used < size);
    }
}

struct said {
    const char *text;
    const char *found;
};

static void assert_found(const struct said *said, size_t count)
{
    char found[2000];
    for (size_t i = 0; i < count; i++) {
        found_in(said[i].text, found, sizeof found);
        if (strcmp(found, said[i].found) != 0)
            fail_msg("%s\n  found: %s\n wanted: %s", said[i].text, found, said[i].found);
    }
}

#define ASSERT_FOUND(said) assert_found(said, sizeof said / sizeof said[0])

static void dates_finer_than_a_year_are_found(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"seen on 12.03.2021 and 2021-03-12", "date 12.03.2021; date 2021-03-12"},
        {"seen 03/12/21, then 3/2021", "date 03/12/21; date 3/2021"},
        {"on March 4th, 2021", "date March 4th, 2021"},
        {"since 4 March; in October it grew", "date 4 March; date October"},
        {"am 12. März 2020 und seit Oktober", "date 12. März 2020; date Oktober"},
        {"die Befunde vom 3.4. liegen bei", "date 3.4."},
        {"le 12 février 2020, depuis janvier", "date 12 février 2020; date janvier"},
        {"el 3 de mayo de 2020, desde marzo", "date 3 de mayo de 2020; date marzo"},
        {"2021年3月12日入院，去年5月发病", "date 2021年3月12日; date 去年5月"},
        {"令和3年4月に受診", "date 令和3年4月"},
        {"二〇二一年三月起病", "date 二〇二一年三月"},
        {"12 марта 2021", "date 12 марта 2021"},
        {"in 2019 it was stable; cycle 3 of 6; pain 3/10; 1.2.3", ""},
        {"第39至51天，约3周", ""},
        {"she may need 5 mg; 12.3 mg/dl; 135/85 mmHg", ""},
    };
    ASSERT_FOUND(said);
}

static void ages_over_89_are_found(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"a 93-year-old woman", "age 93-year-old"},
        {"aged 91", "age 91"},
        {"ein 92-jähriger Mann", "age 92-jähriger"},
        {"de 91 años", "age 91 años"},
        {"âgée de 94 ans", "age 94 ans"},
        {"患者92岁", "age 92岁"},
        {"93歳の女性", "age 93歳"},
        {"a woman in her nineties", "age in her nineties"},
        {"a 47-year-old man; 89 years old; 150 mg", ""},
    };
    ASSERT_FOUND(said);
}

static void numbers_and_addresses_are_found(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"MRN 4471190, SSN 123-45-6789", "number 4471190; number 123-45-6789"},
        {"policy number: AB-99812", "number AB-99812"},
        {"Fallnummer: 2020-441", "number 2020-441"},
        {"dossier n° 44-9912", "number 44-9912"},
        {"DNI 12345678Z", "number 12345678Z"},
        {"住院号：445566", "number 445566"},
        {"診察券番号 123456", "number 123456"},
        {"reference 88120934", "number 88120934"},
        {"call +41 79 555 01 02 or 0511 555 01 23", "phone +41 79 555 01 02; phone 0511 555 01 23"},
        {"电话13912345678", "phone 13912345678"},
        {"mail a.b@example.org", "mail a.b@example.org"},
        {"see https://example.org/a?b=1, please", "web https://example.org/a?b=1"},
        {"from 192.168.1.20", "web 192.168.1.20"},
        {"platelets 150000/µl, ferritin 123456 ug/L, 250000 copies", ""},
        {"NCT01234567; NM_004333.4; c.2235_2249del; rs1042522", ""},
    };
    ASSERT_FOUND(said);
}

static void places_below_a_country_are_found(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"lives at 12 Larch Hill Road", "place 12 Larch Hill Road"},
        {"referred by Saint Olaf Hospital", "place Saint Olaf Hospital"},
        {"she is from Vancouver", "place Vancouver"},
        {"wohnt an der Lindenstraße 12", "place Lindenstraße 12"},
        {"im Klinikum Großburgwedel", "place Klinikum Großburgwedel"},
        {"habite 3 rue des Tilleuls", "place 3 rue des Tilleuls"},
        {"vive en la calle Mayor, 12", "place calle Mayor, 12"},
        {"住址：中山路12号", "place 中山路12号"},
        {"于海南省人民医院就诊", "place 海南省人民医院"},
        {"聖路加病院を受診", "place 聖路加病院"},
        {"札幌市の紹介", "place 札幌市"},
        {"he has lived in Switzerland and in India", ""},
        {"当院でも認められた", ""},
    };
    ASSERT_FOUND(said);
}

static void persons_are_found(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"Dr. Quillfeather agrees", "person Quillfeather"},
        {"his wife Wilhelmina Kestrelby called", "person Wilhelmina; person Kestrelby"},
        {"we saw mr brightwater", "person brightwater"},
        {"Ozgur has pain", "person Ozgur"},
        {"Mukherjeevan underwent surgery", "person Mukherjeevan"},
        {"SMITH was seen; MRI was done", "person SMITH"},
        {"Herr Ützelmann leidet", "person Ützelmann"},
        {"Die Tochter Annegret Kaltwasser ist informiert", "person Annegret; person Kaltwasser"},
        {"Madame Quatrelivres, née Ploubazlanec", "person Quatrelivres; person Ploubazlanec"},
        {"don Eustaquio Zumalacárregui", "person Eustaquio; person Zumalacárregui"},
        {"患者王小明，男", "person 王小明"},
        {"张主任会诊", "person 张"},
        {"山田太郎さんは受診した", "person 山田太郎"},
        {"氏名：佐藤花子", "person 佐藤花子"},
        {"환자 김철수 씨", "person 김철수"},
        {"Господин видел: г-н; Пациент Иванов болен", "person Иванов"},
    };
    ASSERT_FOUND(said);
}

static void words_of_the_field_are_no_persons(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"known Hodgkin lymphoma, Crohn disease and Hashimoto thyroiditis", ""},
        {"the Gleason score; on the Child-Pugh scale; by the Kaplan-Meier method", ""},
        {"grew Staphylococcus aureus and Escherichia coli", ""},
        {"was given Keytruda, then Pembrolizumab", ""},
        {"患者黄疸加重，患者高热三天，周围淋巴结肿大", ""},
        {"同様の所見、患者さんは発熱を訴えた", ""},
        {"Der Patient hat Morbus Parkinson und ein Karzinom der Lunge", ""},
        {"EGFR exon 19, KRAS G12C, HbA1c 7.1, IgG, mTOR", ""},
    };
    ASSERT_FOUND(said);
}

/* ---- how well ---- */

static bool is_in_a_list(const char *folded)
{
    return identifier_words_has(IDENTIFIER_WORDS_GIVEN, folded) ||
           identifier_words_has(IDENTIFIER_WORDS_FAMILY, folded);
}

/* Invented; `is_in_a_list` proves that no list holds them. */
static const char *const unknown_names[] = {
    "Abelthorpe",   "Brackenfold", "Corvellain",  "Dunmarrow",   "Estebrook",   "Farquelin",
    "Gundersaft",   "Hallowmere",  "Ivaskenko",   "Jorvaldsen",  "Kestrelby",   "Lindqvarn",
    "Mbelekoro",    "Nakashiro",   "Oduyeminu",   "Pellingrath", "Quorvance",   "Rastovnik",
    "Sundaramoor",  "Tchaikande",  "Umbertelli",  "Vandersluys", "Wolczyniak",  "Xanthoulis",
    "Yamashirota",  "Zubeldiague", "Achterbergh", "Brzezowska",  "Castelverde", "Drummondey",
    "Echevarrieta", "Fjellstrom",  "Grabowiecki", "Hohenlinder", "Ilunga",      "Jezernik",
    "Kowalenko",    "Llewelynne",  "Mavrokordo",  "Nwachukwu"};

static void assert_all_found(const char *before, const char *after)
{
    char text[300], found[600], folded[40];
    for (size_t i = 0; i < sizeof unknown_names / sizeof unknown_names[0]; i++) {
        size_t size = strlen(unknown_names[i]);
        for (size_t j = 0; j <= size; j++)
            folded[j] = (char)(unknown_names[i][j] | 0x20);
        folded[size] = '\0';
        assert_false(is_in_a_list(folded));
        snprintf(text, sizeof text, "%s%s%s", before, unknown_names[i], after);
        found_in(text, found, sizeof found);
        if (strstr(found, unknown_names[i]) == NULL)
            fail_msg("%s: found %s", text, found);
    }
}

static void names_that_no_list_holds_are_found(void **state)
{
    (void)state;
    assert_all_found("The scan of Mrs ", " shows a lesion.");
    assert_all_found("We discussed it with ", " and the family.");
    assert_all_found("Die Befunde von Frau ", " liegen bei und sind unklar.");
    assert_all_found("Zugewiesen durch Dr. med. ", " nach der Operation.");
    assert_all_found("Le scanner de Mme ", " montre une lésion.");
    assert_all_found("La fille, ", ", est d'accord avec la greffe.");
    assert_all_found("La paciente es la señora ", ", con dolor.");
    assert_all_found("El hijo, ", ", está de acuerdo con la cirugía.");
}

static size_t word_count(const char *text)
{
    size_t count = 0;
    for (const char *at = text; *at != '\0';) {
        at += strspn(at, " \n");
        count += *at != '\0';
        at += strcspn(at, " \n");
    }
    return count;
}

/* Chinese and Japanese: two characters count as a word. */
static void assert_few_marks(const char *text, bool is_spaced)
{
    static struct identifier_list list;
    size_t words = is_spaced ? word_count(text) : strlen(text) / 6;
    char found[2000];
    assert_int_equal(identifiers_find(rules, bytes_of_text(text), &list), OK);
    found_in(text, found, sizeof found);
    if (list.count * 1000 > 10 * words)
        fail_msg("%zu marks in %zu words: %s", list.count, words, found);
}

static const char harmless_english[] =
    "A woman in her forties presented with progressive dyspnoea over six months. "
    "Echocardiography showed a dilated right ventricle with an estimated systolic "
    "pressure of 78 mmHg. CT angiography excluded pulmonary embolism. Autoimmune serology "
    "was positive for anti-centromere antibodies; the modified Rodnan score was 6. Right "
    "heart catheterisation confirmed precapillary pulmonary hypertension with a mean "
    "pressure of 46 mmHg and a wedge pressure of 9 mmHg. Treatment with sildenafil and "
    "ambrisentan was started. Three months later the six-minute walk distance had risen "
    "from 310 to 402 metres. \n"
    "\n"
    "Findings: MRI of the brain shows a lesion of 23 x 18 mm in the left frontal lobe "
    "with surrounding oedema. The differential diagnosis includes glioblastoma, "
    "metastasis and primary CNS lymphoma. Histology: IDH wild type, MGMT promoter "
    "methylated, Ki-67 of 30 %. The patient was treated according to the Stupp protocol "
    "with temozolomide and radiotherapy to 60 Gy in 30 fractions. Karnofsky performance "
    "status is 80. Dexamethasone 4 mg twice daily. \n"
    "\n"
    "Bone marrow: 45 % blasts, FLT3-ITD positive, NPM1 mutated. Induction with cytarabine "
    "and daunorubicin (7+3) plus midostaurin. Complete remission after cycle 1. Would you "
    "recommend allogeneic transplantation in first remission? A sibling donor is "
    "available. Hashimoto thyroiditis, Crohn disease and Raynaud phenomenon are known. "
    "Antibiotics: piperacillin and tazobactam, then meropenem because of Pseudomonas "
    "aeruginosa and Klebsiella pneumoniae. White cells 12500 per microlitre, platelets "
    "150000/µl, creatinine 1.2 mg/dl, CRP 34.5 mg/l. EGFR exon 19 deletion "
    "c.2235_2249del, KRAS G12C absent. Blood pressure 135/85. The Child-Pugh class is B. "
    "According to the Milan criteria the lesion is within limits. Prior biopsy in 2019 "
    "was read as low grade. She is a retired teacher and has never smoked. Her father had "
    "colon cancer at 52. It may have grown since then. We thank you for your advice. "
    "Kind regards. \n";

static const char harmless_german[] =
    "Eine Frau Mitte vierzig stellt sich mit zunehmender Atemnot seit sechs Monaten vor. "
    "Die Echokardiographie zeigt einen vergrößerten rechten Ventrikel. In der "
    "Computertomographie kein Hinweis auf eine Lungenembolie. Der Patient wurde nach dem "
    "Protokoll mit Temozolomid und Bestrahlung behandelt. Die Histologie ergab ein "
    "Karzinom mit Infiltration der Muskulatur. Knochenmark: 45 % Blasten, FLT3-ITD "
    "positiv. Induktion mit Cytarabin und Daunorubicin. Vollständige Remission nach dem "
    "ersten Zyklus. Würden Sie eine allogene Transplantation empfehlen? Ein Bruder steht "
    "als Spender zur Verfügung. Morbus Crohn und Hashimoto-Thyreoiditis sind bekannt. "
    "Labor: Leukozyten 12500/µl, Thrombozyten 150000/µl, Kreatinin 1,2 mg/dl. Blutdruck "
    "135/85. Antibiotische Therapie mit Piperacillin und Tazobactam. Nachweis von "
    "Staphylococcus aureus in der Blutkultur. Der Vater hatte ein Kolonkarzinom mit 52 "
    "Jahren. Herr Kollege, was raten Sie? Die Familie wünscht eine zweite Meinung. Am "
    "rechten Oberschenkel findet sich eine Narbe. Beginn der Beschwerden vor drei Jahren. "
    "Fieber bis 39.5 Grad. Mark und Rinde sind unauffällig. Die Iris ist links heller. "
    "Wir danken für Ihren Rat und verbleiben mit freundlichen Grüßen. \n";

static const char harmless_french[] =
    "Une femme d'une quarantaine d'années présente une dyspnée progressive depuis six "
    "mois. L'échocardiographie montre une dilatation du ventricule droit. Le scanner "
    "thoracique élimine une embolie pulmonaire. La biopsie a montré un carcinome "
    "infiltrant. Le traitement par cisplatine et étoposide a été débuté. Maladie de Crohn "
    "connue, phénomène de Raynaud. Les leucocytes sont à 12500/µl et la créatinine à 1,2 "
    "mg/dl. L'IRM cérébrale montre une lésion frontale gauche de 23 mm. Son père a eu un "
    "cancer du côlon à 52 ans. Conseillez-vous une greffe allogénique en première "
    "rémission ? Hémocultures positives à Staphylococcus aureus. Le patient est retraité "
    "et n'a jamais fumé. Nous vous remercions de votre avis. Mutation de l'exon 19 du "
    "gène EGFR. Score de Gleason à 7. Antécédents : hypertension artérielle, diabète de "
    "type 2. Examen clinique sans particularité. La tension artérielle est de 135/85. Pas "
    "de fièvre depuis trois jours. Sous Keytruda depuis deux ans, la maladie est stable. \n";

static const char harmless_spanish[] =
    "Mujer de unos cuarenta años con disnea progresiva de seis meses de evolución. El "
    "ecocardiograma muestra dilatación del ventrículo derecho. La tomografía descarta "
    "embolia pulmonar. La biopsia mostró un carcinoma infiltrante. Se inició tratamiento "
    "con cisplatino y etopósido. Enfermedad de Crohn conocida y fenómeno de Raynaud. "
    "Leucocitos 12500/µl, creatinina 1,2 mg/dl. La resonancia muestra una lesión frontal "
    "izquierda de 23 mm. Su padre tuvo cáncer de colon a los 52 años. ¿Recomiendan un "
    "trasplante alogénico en primera remisión? Hemocultivos positivos para Staphylococcus "
    "aureus. El paciente está jubilado y nunca ha fumado. Antecedentes: hipertensión "
    "arterial y diabetes tipo 2. Agradecemos su opinión. Mutación del exón 19 del gen "
    "EGFR. Escala de Gleason 7. Presión arterial 135/85. Sin fiebre desde hace tres días. "
    "El dolor empeora de noche. No hay ganglios palpables. \n";

static const char harmless_chinese[] =
    "女，四十余岁，进行性呼吸困难六个月。超声心动图示右心室扩大，肺动脉收缩压估测78 m"
    "mHg。CT血管造影排除肺栓塞。右心导管证实毛细血管前性肺动脉高压。予西地那非和安立"
    "生坦治疗，三个月后六分钟步行距离由310米增至402米。骨髓原始细胞45%，FLT3"
    "-ITD阳性，NPM1突变。诱导化疗后完全缓解。请问首次缓解期是否建议行异基因造血干"
    "细胞移植？有同胞供者。既往有桥本甲状腺炎及克罗恩病。血培养：金黄色葡萄球菌阳性。白细"
    "胞12500/µl，血小板150000/µl，肌酐122 μmol/L。头颅磁共振示"
    "左额叶病灶，周围水肿明显。病理：IDH野生型，MGMT启动子甲基化。父亲52岁时患结"
    "肠癌。从不吸烟。第39天起病，第42天入院，住院九天。予替莫唑胺联合放疗60 Gy/"
    "30次。目前一般情况可，无发热。感谢您的意见。\n";

static const char harmless_japanese[] =
    "四十代の女性、六か月前から進行する呼吸困難を主訴に受診した。心エコーで右室の拡大を認"
    "め、推定収縮期圧は78 mmHgであった。造影CTで肺塞栓は否定された。右心カテーテ"
    "ル検査で前毛細血管性肺高血圧症と診断した。シルデナフィルとアンブリセンタンを開始し、"
    "三か月後の六分間歩行距離は310 mから402 mに改善した。骨髓の芽球は45%、F"
    "LT3-ITD陽性、NPM1変異あり。寛解導入療法後に完全寛解を得た。第一寛解期での"
    "同種移植を推奨されますか。橋本病とクローン病の既往がある。血液培養で黄色ブドウ球菌を"
    "検出した。白血球12500/µl、血小板150000/µl。同様の所見は以前にも認め"
    "られた。患者さんは喫煙歴がない。父は52歳で大腸癌に罹患した。御意見をいただければ幸"
    "いです。頭部MRIで左前頭葉に23 mmの病変を認める。\n";

static void a_harmless_report_is_hardly_marked(void **state)
{
    (void)state;
    assert_few_marks(harmless_english, true);
    assert_few_marks(harmless_german, true);
    assert_few_marks(harmless_french, true);
    assert_few_marks(harmless_spanish, true);
    assert_few_marks(harmless_chinese, false);
    assert_few_marks(harmless_japanese, false);
}

/* ---- bounds ---- */

static void places_do_not_overlap_and_lie_on_characters(void **state)
{
    (void)state;
    static struct identifier_list list;
    const char *text =
        "Dr. Müller, 12.03.2021, +41 79 555 01 02, 患者王小明，2021年3月12日, a@b.example";
    struct bytes bytes = bytes_of_text(text);
    assert_int_equal(identifiers_find(rules, bytes, &list), OK);
    assert_true(list.count >= 6);
    for (size_t i = 0; i < list.count; i++) {
        struct bytes part = {bytes.data + list.all[i].start, list.all[i].size};
        assert_true(list.all[i].size > 0);
        assert_true(list.all[i].start + list.all[i].size <= bytes.size);
        assert_true(utf8_valid(part));
        if (i > 0)
            assert_true(list.all[i].start >= list.all[i - 1].start + list.all[i - 1].size);
    }
}

static void a_text_full_of_places_is_cut_and_says_so(void **state)
{
    (void)state;
    static struct identifier_list list;
    static char text[16000];
    size_t used = 0;
    for (size_t i = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "a%zu@b.example, ", i);
    assert_int_equal(identifiers_find(rules, (struct bytes){(uint8_t *)text, used}, &list), OK);
    assert_int_equal(list.count, IDENTIFIER_COUNT_MAX);
    assert_true(list.is_cut);
}

/* Each repeats one piece to the size of the largest description; none may take a pattern beyond its
 * steps, and the test would take minutes if a pattern were quadratic. */
static void hostile_texts_end(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "1",    "A",  "a",  "Aa.Aa-", "Aa ",  "1 ",      "a@",    "12.",    "rue ", "www.", "1.1",
        "患者", "王", "カ", "2020年", "A1B2", "name A ", "0 12 ", "Dr. A ", "-",    ":",    "ff:"};
    enum { SIZE = 60000 };
    static char text[SIZE];
    static struct identifier_list list;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t used = 0, size = strlen(pieces[i]);
        for (; used + size <= SIZE; used += size)
            memcpy(text + used, pieces[i], size);
        assert_int_equal(identifiers_find(rules, (struct bytes){(uint8_t *)text, used}, &list), OK);
    }
}

static void what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static struct identifier_list list;
    assert_int_equal(identifiers_find(rules, (struct bytes){(const uint8_t *)"a\xff", 2}, &list),
                     ERR_INVALID);
}

static void the_lists_are_sorted(void **state)
{
    (void)state;
    for (unsigned list = 0; list < IDENTIFIER_WORDS_COUNT; list++) {
        size_t count;
        const char *const *lines = identifier_words_lines((enum identifier_words)list, &count);
        char before[64] = "";
        for (size_t i = 0; i < count; i++) {
            for (const char *at = lines[i]; *at != '\0'; at += strspn(at, " ")) {
                char word[64];
                size_t size = strcspn(at, " ");
                assert_true(size > 0 && size < sizeof word);
                memcpy(word, at, size);
                word[size] = '\0';
                assert_true(strcmp(before, word) < 0);
                assert_true(identifier_words_has((enum identifier_words)list, word));
                memcpy(before, word, size + 1);
                at += size;
            }
        }
        assert_false(identifier_words_has((enum identifier_words)list, "zzz"));
        assert_false(identifier_words_has((enum identifier_words)list, ""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_finer_than_a_year_are_found),
        cmocka_unit_test(ages_over_89_are_found),
        cmocka_unit_test(numbers_and_addresses_are_found),
        cmocka_unit_test(places_below_a_country_are_found),
        cmocka_unit_test(persons_are_found),
        cmocka_unit_test(words_of_the_field_are_no_persons),
        cmocka_unit_test(names_that_no_list_holds_are_found),
        cmocka_unit_test(a_harmless_report_is_hardly_marked),
        cmocka_unit_test(places_do_not_overlap_and_lie_on_characters),
        cmocka_unit_test(a_text_full_of_places_is_cut_and_says_so),
        cmocka_unit_test(hostile_texts_end),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(the_lists_are_sorted),
    };
    return cmocka_run_group_tests(tests, make_rules, free_rules);
}
