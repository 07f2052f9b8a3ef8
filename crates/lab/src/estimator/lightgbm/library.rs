//! [`Library`]: LightGBM's shared library, searched for on first use.
//!
//! It is loaded and not linked: building it takes cmake, libclang and minutes, and `pip install lightgbm` installs it
//! built. The functions used have not changed since LightGBM 3.
#![allow(unsafe_code, reason = "LightGBM is a C library: its functions are found here and called in `booster`")]

use std::ffi::{c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::estimator::EstimatorError;

/// Environment variable with the path of the library file.
const VARIABLE: &str = "VIGIE_LIGHTGBM_LIBRARY";
const FILE: &str = if cfg!(target_os = "macos") { "lib_lightgbm.dylib" } else { "lib_lightgbm.so" };
/// Prints the directory of the Python package without importing it, which would take seconds.
const PYTHON: &str = "import importlib.util as u, os; print(os.path.dirname(u.find_spec('lightgbm').origin))";

/// A dataset or a booster.
pub(super) type Handle = *mut c_void;

/// `functions! { name: (arguments), ... }`: a table of C functions that return a status, and the code that fills it.
macro_rules! functions {
    ($($field:ident = $name:literal: ($($argument:ty),*);)*) => {
        /// LightGBM's functions; each returns 0 on success.
        pub(super) struct Library {
            pub(super) last_error: unsafe extern "C" fn() -> *const c_char,
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) -> c_int,)*
        }

        impl Library {
            fn load(file: &Path) -> Result<Self, libloading::Error> {
                // SAFETY: the file is LightGBM's by its name, or by the user's choice; its initialisers only start
                // OpenMP. It is never unloaded, and the functions' types are those of LightGBM's `c_api.h`.
                unsafe {
                    let library = std::mem::ManuallyDrop::new(libloading::Library::new(file)?);
                    Ok(Self {
                        last_error: *library.get(c"LGBM_GetLastError")?,
                        $($field: *library.get($name)?,)*
                    })
                }
            }
        }
    };
}

functions! {
    data_of_matrix = c"LGBM_DatasetCreateFromMat":
        (*const c_void, c_int, i32, i32, c_int, *const c_char, Handle, *mut Handle);
    data_of_csr = c"LGBM_DatasetCreateFromCSR":
        (*const c_void, c_int, *const i32, *const c_void, c_int, i64, i64, i64, *const c_char, Handle, *mut Handle);
    set_field = c"LGBM_DatasetSetField": (Handle, *const c_char, *const c_void, c_int, c_int);
    free_data = c"LGBM_DatasetFree": (Handle);
    new_booster = c"LGBM_BoosterCreate": (Handle, *const c_char, *mut Handle);
    step = c"LGBM_BoosterUpdateOneIter": (Handle, *mut c_int);
    evaluate = c"LGBM_BoosterGetEval": (Handle, c_int, *mut c_int, *mut f64);
    to_text = c"LGBM_BoosterSaveModelToString": (Handle, c_int, c_int, c_int, i64, *mut i64, *mut c_char);
    of_text = c"LGBM_BoosterLoadModelFromString": (*const c_char, *mut c_int, *mut Handle);
    predict_matrix = c"LGBM_BoosterPredictForMat":
        (Handle, *const c_void, c_int, i32, i32, c_int, c_int, c_int, c_int, *const c_char, *mut i64, *mut f64);
    predict_csr = c"LGBM_BoosterPredictForCSR":
        (Handle, *const c_void, c_int, *const i32, *const c_void, c_int, i64, i64, i64, c_int, c_int, c_int, *const c_char,
         *mut i64, *mut f64);
    free_booster = c"LGBM_BoosterFree": (Handle);
}

impl Library {
    /// The library of this machine, searched for once.
    pub(super) fn get() -> Result<&'static Self, EstimatorError> {
        static FOUND: OnceLock<Result<Library, String>> = OnceLock::new();
        FOUND.get_or_init(Self::find).as_ref().map_err(|error| EstimatorError::LightGbmLibrary(error.clone()))
    }

    /// In this order: the file of the environment variable; the system's library path; the packages of python3.
    fn find() -> Result<Self, String> {
        if let Some(file) = std::env::var_os(VARIABLE).filter(|file| !file.is_empty()) {
            return Self::load(Path::new(&file)).map_err(|error| format!("{VARIABLE}: {error}"));
        }
        let system_error = match Self::load(Path::new(FILE)) {
            Ok(library) => return Ok(library),
            Err(error) => error.to_string(),
        };
        match find_in_python() {
            None => Err(format!("{system_error}, and python3 has no package lightgbm")),
            Some(file) => Self::load(&file).map_err(|error| error.to_string()),
        }
    }
}

fn find_in_python() -> Option<PathBuf> {
    let output = Command::new("python3").args(["-c", PYTHON]).output().ok()?;
    let package = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let file = package.join("lib").join(FILE);
    file.is_file().then_some(file)
}
