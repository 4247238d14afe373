# The short texts of this case; node/demo.sh and tests/e2e read them.
case_language=en
case_specialty=oncology
case_reason=risky-treatment
case_age=50-59
case_sex=male
case_title='sphenoid tumour, sepsis and renal failure after the first TPF'
case_word=cisplatin
case_join='Medical oncology, head and neck; we see about thirty skull base tumours a year.'
case_join_2='Radiation oncology; we plan protons for the clivus.'
case_ask_records='Creatinine and GFR over time, from before day 0 to today'
case_ask_test='Pure tone audiogram, before and after cisplatin'
case_supply_note='The course is attached. The audiogram was never done; it is ordered.'
case_supply_missing='never done; ordered now'
case_post='Is there a reason not to do the chest CT today? With S. aureus and new fever I would not wait for the planned date.'
case_answer='Agreed, and done: it is booked for tomorrow morning, low dose and without contrast because of the kidneys.'
case_final='Malignant tumour of sphenoid and clivus; lung abscess (S. aureus); chronic kidney disease stage 3a after acute kidney injury'
