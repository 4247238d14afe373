# 本例的短句，供 node/demo.sh 和 tests/e2e 使用。
case_language=zh-Hans
case_specialty=oncology
case_reason=risky-treatment
case_age=50-59
case_sex=male
case_title='首次TPF后脓毒症与肾功能不全的蝶骨肿瘤'
case_word=顺铂
case_join='肿瘤内科，每年约三十例颅底肿瘤。'
case_join_2='放射治疗科，可做质子计划。'
case_ask_records='从第0天之前至今的肌酐与GFR变化'
case_ask_test='顺铂前后的纯音测听'
case_supply_note='肾功能经过见附件。测听从未做过，已预约。'
case_supply_missing='从未做过，已预约'
case_post='胸部CT为什么不今天就做？金葡菌菌血症后再次发热，我不会等到预约的日子。'
case_answer='同意，已改到明天上午，低剂量平扫。'
case_final='蝶骨及斜坡恶性肿瘤；肺脓肿（金黄色葡萄球菌）；急性肾损伤后慢性肾脏病3a期'
