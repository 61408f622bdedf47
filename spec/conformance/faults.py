"""All faults."""

import faults_analysis
import faults_root
import faults_storage
import faults_tables

FAULTS = faults_root.FAULTS + faults_tables.FAULTS + faults_storage.FAULTS + faults_analysis.FAULTS
