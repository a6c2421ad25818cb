"""Corrections as training data, in the formats that the field uses.

run      every decided item through one format into a folder
jsonl    one line per item: what the machine said, what a person said
ppocr    label files of PP-OCR: detection with polygons, recognition with crops
coco     COCO: the product with its category, box and mask, and the lines of text
folders  image, alpha and trimap with the same name in three folders, as matting models want it
"""
