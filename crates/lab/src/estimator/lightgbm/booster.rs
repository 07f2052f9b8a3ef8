//! [`TrainingData`] and [`Booster`]: a safe wrapper of LightGBM's C interface.
//!
//! Every call passes pointers into slices that outlive it, with their lengths; a handle is freed once, by its owner.
#![allow(unsafe_code, reason = "LightGBM is a C library; its calls are made here and nowhere else")]

use std::ffi::{CStr, CString, c_int};
use std::marker::PhantomData;
use std::ptr::null_mut;

use super::library::{Handle, Library};
use crate::estimator::EstimatorError;
use crate::matrix::{Matrix, Sparse};

// From LightGBM's `c_api.h`.
const F32: c_int = 0;
const I64: c_int = 3;
const PROBABILITIES: c_int = 0;
const IMPORTANCE_BY_SPLITS: c_int = 0;
const ALL_TREES: c_int = -1;

/// Training rows, as LightGBM stores them.
pub(super) struct TrainingData {
    library: &'static Library,
    handle: Handle,
}

/// A model, in training or trained.
pub(super) struct Booster<'a> {
    library: &'static Library,
    handle: Handle,
    /// The training data has to outlive it.
    data: PhantomData<&'a TrainingData>,
}

impl TrainingData {
    /// `targets` are classes, counted from 0, one per row.
    pub(super) fn new(x: &Matrix, targets: &[f32], settings: &str) -> Result<Self, EstimatorError> {
        let library = Library::get()?;
        let (rows, columns, settings) = (int(x.rows())?, int(x.width())?, text(settings)?);
        let mut handle = null_mut();
        match x {
            // SAFETY: `values` holds `rows` times `columns` values, row by row.
            Matrix::Dense(dense) => check_status(library, unsafe {
                (library.data_of_matrix)(
                    dense.values.as_ptr().cast(),
                    F32,
                    rows,
                    columns,
                    1,
                    settings.as_ptr(),
                    null_mut(),
                    &raw mut handle,
                )
            })?,
            Matrix::Sparse(sparse) => {
                let rows = Csr::new(sparse)?;
                // SAFETY: the lengths are those of the slices; `validation` has checked that the rows start in order
                // and that the columns are below the width.
                check_status(library, unsafe {
                    (library.data_of_csr)(
                        rows.starts.as_ptr().cast(),
                        I64,
                        rows.columns.as_ptr(),
                        sparse.values.as_ptr().cast(),
                        F32,
                        rows.starts.len() as i64,
                        sparse.values.len() as i64,
                        i64::from(columns),
                        settings.as_ptr(),
                        null_mut(),
                        &raw mut handle,
                    )
                })?;
            }
        }
        let data = Self { library, handle };
        // SAFETY: `targets` lives through the call, which copies it.
        check_status(library, unsafe {
            (library.set_field)(data.handle, c"label".as_ptr(), targets.as_ptr().cast(), int(targets.len())?, F32)
        })?;
        Ok(data)
    }
}

impl Drop for TrainingData {
    fn drop(&mut self) {
        // SAFETY: this is the owner of the handle, which is not used again. Only a null handle can fail.
        unsafe { (self.library.free_data)(self.handle) };
    }
}

impl<'a> Booster<'a> {
    pub(super) fn new(data: &'a TrainingData, settings: &str) -> Result<Self, EstimatorError> {
        let settings = text(settings)?;
        let mut handle = null_mut();
        // SAFETY: `data` outlives the booster, as its lifetime says.
        check_status(data.library, unsafe {
            (data.library.new_booster)(data.handle, settings.as_ptr(), &raw mut handle)
        })?;
        Ok(Self { library: data.library, handle, data: PhantomData })
    }

    /// Grows one tree per class; returns whether there was nothing left to learn.
    pub(super) fn step(&mut self) -> Result<bool, EstimatorError> {
        let mut finished = 0;
        // SAFETY: the handle is live.
        check_status(self.library, unsafe { (self.library.step)(self.handle, &raw mut finished) })?;
        Ok(finished == 1)
    }

    /// The metric of the settings, on the training rows.
    pub(super) fn training_loss(&self) -> Result<f64, EstimatorError> {
        const TRAINING: c_int = 0;
        let (mut metrics, mut count) = ([f64::NAN; 4], 0);
        // SAFETY: the settings name one metric, and there is room for four.
        check_status(self.library, unsafe {
            (self.library.evaluate)(self.handle, TRAINING, &raw mut count, metrics.as_mut_ptr())
        })?;
        Ok(metrics[0])
    }

    /// The model in LightGBM's lossless text format.
    pub(super) fn to_text(&self) -> Result<String, EstimatorError> {
        let mut buffer = Vec::<u8>::new();
        let mut needed = 0;
        // The first call returns the length, the second the text.
        for _ in 0..2 {
            buffer.resize(usize::try_from(needed).unwrap_or_default(), 0);
            // SAFETY: LightGBM writes at most the given length.
            check_status(self.library, unsafe {
                (self.library.to_text)(
                    self.handle,
                    0,
                    ALL_TREES,
                    IMPORTANCE_BY_SPLITS,
                    buffer.len() as i64,
                    &raw mut needed,
                    buffer.as_mut_ptr().cast(),
                )
            })?;
        }
        let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
        buffer.truncate(end);
        String::from_utf8(buffer).map_err(|error| EstimatorError::LightGbm(error.to_string()))
    }
}

impl Booster<'static> {
    /// Reads a model that [`Booster::to_text`] wrote.
    pub(super) fn from_text(model: &str) -> Result<Self, EstimatorError> {
        let (library, model) = (Library::get()?, text(model)?);
        let (mut handle, mut iterations) = (null_mut(), 0);
        // SAFETY: the text ends with 0 and lives through the call.
        check_status(library, unsafe { (library.of_text)(model.as_ptr(), &raw mut iterations, &raw mut handle) })?;
        Ok(Self { library, handle, data: PhantomData })
    }

    /// Row-major probabilities: for two classes that of the second, otherwise of all. Rows are as wide as the training
    /// rows.
    pub(super) fn predict(&self, x: &Matrix, classes: usize) -> Result<Vec<f64>, EstimatorError> {
        let (rows, columns) = (int(x.rows())?, int(x.width())?);
        let settings = text(&format!("num_threads={} verbosity=-1", rayon::current_num_threads()))?;
        let mut probabilities = vec![0.0; x.rows() * if classes == 2 { 1 } else { classes }];
        let mut length = 0;
        let status = match x {
            // SAFETY: as in `TrainingData::new`; `probabilities` has room for every row and class.
            Matrix::Dense(dense) => unsafe {
                (self.library.predict_matrix)(
                    self.handle,
                    dense.values.as_ptr().cast(),
                    F32,
                    rows,
                    columns,
                    1,
                    PROBABILITIES,
                    0,
                    ALL_TREES,
                    settings.as_ptr(),
                    &raw mut length,
                    probabilities.as_mut_ptr(),
                )
            },
            Matrix::Sparse(sparse) => {
                let rows = Csr::new(sparse)?;
                // SAFETY: as in `TrainingData::new`; `probabilities` has room for every row and class.
                unsafe {
                    (self.library.predict_csr)(
                        self.handle,
                        rows.starts.as_ptr().cast(),
                        I64,
                        rows.columns.as_ptr(),
                        sparse.values.as_ptr().cast(),
                        F32,
                        rows.starts.len() as i64,
                        sparse.values.len() as i64,
                        i64::from(columns),
                        PROBABILITIES,
                        0,
                        ALL_TREES,
                        settings.as_ptr(),
                        &raw mut length,
                        probabilities.as_mut_ptr(),
                    )
                }
            }
        };
        check_status(self.library, status)?;
        Ok(probabilities)
    }
}

impl Drop for Booster<'_> {
    fn drop(&mut self) {
        // SAFETY: this is the owner of the handle, which is not used again. Only a null handle can fail.
        unsafe { (self.library.free_booster)(self.handle) };
    }
}

/// Sparse rows, in LightGBM's integer types.
struct Csr {
    starts: Vec<i64>,
    columns: Vec<i32>,
}

impl Csr {
    fn new(sparse: &Sparse) -> Result<Self, EstimatorError> {
        int(sparse.width)?;
        let starts = sparse.starts.iter().map(|start| *start as i64).collect();
        // Below the width, which an i32 can hold.
        let columns = sparse.columns.iter().map(|column| *column as i32).collect();
        Ok(Self { starts, columns })
    }
}

/// The last error of this thread, if `status` reports one.
fn check_status(library: &Library, status: c_int) -> Result<(), EstimatorError> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: LightGBM keeps a null-terminated text for every thread.
    let message = unsafe { CStr::from_ptr((library.last_error)()) };
    Err(EstimatorError::LightGbm(message.to_string_lossy().into_owned()))
}

fn int(count: usize) -> Result<c_int, EstimatorError> {
    c_int::try_from(count).map_err(|_| EstimatorError::LightGbm(format!("{count} exceeds its integer range")))
}

fn text(text: &str) -> Result<CString, EstimatorError> {
    CString::new(text).map_err(|error| EstimatorError::LightGbm(error.to_string()))
}
