"""Subject hierarchy items of a patient and a study, as the application's DICOM import leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer


@dataclass(frozen=True)
class Study:
    """What the import writes down of a patient and a study. Dates as DICOM has them: YYYYMMDD."""

    patient_name: str = "Doe^Jane"
    patient_id: str = "P-001"
    birth_date: str = "19700101"
    sex: str = "F"
    description: str = "CT cervical spine"
    date: str = "20260801"
    uid: str = "1.2.826.0.1.3680043.2.1125.1"
    series_uid: str = "1.2.826.0.1.3680043.2.1125.1.1"


def import_study(node: Any, study: Study) -> tuple[int, int]:
    """Put a data node's item under its study and patient; returns the items of patient and study.

    Source: Slicer Modules/Scripted/DICOMLib/DICOMPlugin.py, addSeriesInSubjectHierarchy.
    """
    words = slicer.vtkMRMLSubjectHierarchyConstants
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    series = hierarchy.GetItemByDataNode(node)
    uid = words.GetDICOMUIDName()
    hierarchy.SetItemUID(series, uid, study.series_uid)
    hierarchy.SetItemAttribute(series, words.GetDICOMSeriesModalityAttributeName(), "CT")
    slicer.modules.subjecthierarchy.logic().InsertDicomSeriesInHierarchy(
        hierarchy, study.patient_id, study.uid, study.series_uid
    )
    patient = hierarchy.GetItemByUID(uid, study.patient_id)
    study_item = hierarchy.GetItemByUID(uid, study.uid)
    hierarchy.SetItemName(patient, f"{study.patient_name} ({study.patient_id})")
    hierarchy.SetItemName(study_item, f"{study.description} ({study.date})")
    for item, attributes in (
        (
            patient,
            {
                words.GetDICOMPatientNameAttributeName(): study.patient_name,
                words.GetDICOMPatientIDAttributeName(): study.patient_id,
                words.GetDICOMPatientBirthDateAttributeName(): study.birth_date,
                words.GetDICOMPatientSexAttributeName(): study.sex,
            },
        ),
        (
            study_item,
            {
                words.GetDICOMStudyDescriptionAttributeName(): study.description,
                words.GetDICOMStudyDateAttributeName(): study.date,
                words.GetDICOMStudyInstanceUIDAttributeName(): study.uid,
            },
        ),
    ):
        for name, value in attributes.items():
            hierarchy.SetItemAttribute(item, name, value)
    return patient, study_item
